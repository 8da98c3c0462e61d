// Called by `.ci/page`.
"use strict";
const { spawn, execFileSync } = require("node:child_process");
const assert = require("node:assert");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const puppeteer = require("puppeteer-core");
const axe = require.resolve("axe-core/axe.min.js");

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "page-"));
const pictures = process.argv.includes("--pictures");

function start() {
  const server = spawn("target/debug/telemetry-gateway", ["serve", "--listen", "127.0.0.1:0", "--state", path.join(folder, "state")]);
  return new Promise((resolve) => {
    let said = "";
    server.stderr.on("data", (piece) => {
      said += piece;
      const found = said.match(/open (http:\S+)/);
      if (found) resolve([server, found[1]]);
    });
  });
}

// A real program of a person who has this home.
function omni(address, who, words) {
  const home = path.join(folder, who);
  fs.mkdirSync(home, { recursive: true });
  const env = { HOME: home, AUTOMAGIK_TELEMETRY_ENABLED: "true", AUTOMAGIK_TELEMETRY_ENDPOINT: address };
  execFileSync("target/debug/examples/omni", words, { env, stdio: "ignore" });
}

async function violations(page, what) {
  await page.addScriptTag({ path: axe });
  const found = await page.evaluate(() => axe.run(document));
  assert.deepStrictEqual(found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target)}`), [], what);
  return found.passes.length;
}

async function main() {
  const [server, address] = await start();
  const browser = await puppeteer.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const elsewhere = [];
    const errors = [];
    page.on("request", (request) => {
      if (!request.url().startsWith(address) && !request.url().startsWith("data:")) elsewhere.push(request.url());
    });
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => { if (message.type() === "error") errors.push(message.text()); });
    // The checker itself is put into the page, which its policy forbids to others.
    await page.setBypassCSP(true);
    await page.goto(address);
    assert.match(await page.$eval("main", (main) => main.textContent), /Nothing has arrived yet/);
    for (const who of ["ada", "bob", "cy"]) {
      for (const words of [["instance", "list"], ["telemetry", "status"]]) omni(address, who, words);
    }
    // They leave a process behind that delivers.
    do {
      await page.goto(address);
    } while (!(await page.$("a[href='/project?project=omni']")));
    await violations(page, "the front page");
    // To the project by the keyboard alone.
    for (let at = 0; at < 20; at += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(() => document.activeElement.textContent === "omni")) break;
    }
    await Promise.all([page.waitForNavigation({ waitUntil: "load" }), page.keyboard.press("Enter")]);
    assert.strictEqual(await page.title(), "Telemetry of omni");
    await page.waitForFunction(() => document.getElementById("live").textContent.includes("as they arrive"));
    const before = await page.$$eval("#recent tbody tr", (rows) => rows.length);
    const begun = Date.now();
    omni(address, "dee", ["instance", "list"]);
    await page.waitForFunction((count) => document.querySelectorAll("#recent tbody tr").length > count, {}, before);
    console.log(`an event is on the page ${Date.now() - begun} ms after its program was started`);
    assert.match(await page.$eval("#recent tbody tr", (row) => row.textContent), /command=omni instance list/);
    for (const [name, width, scheme] of [["light", 1200, "light"], ["dark", 1200, "dark"], ["phone", 400, "light"]]) {
      await page.setViewport({ width, height: 900 });
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
      console.log(`${name}: ${await violations(page, name)} rules passed, none violated`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.strictEqual(wide, 0, `${name}: the page is wider than the window`);
      if (pictures && name !== "dark") await page.screenshot({ path: `docs/pictures/serve-${name}.png`, clip: { x: 0, y: 0, width, height: 900 } });
    }
    // Each link of the questions leads to a part of the page, each file is there.
    for (const target of await page.$$eval("nav a", (links) => links.map((link) => link.getAttribute("href")))) {
      assert.ok(await page.$(target), target);
    }
    for (const file of await page.$$eval(".files a", (links) => links.map((link) => link.href))) {
      const answer = await fetch(file);
      assert.strictEqual(answer.status, 200, file);
    }
    // A filter that lets nothing through, and back.
    await page.$eval("input[name=to]", (input) => { input.value = "2020-01-01"; });
    await page.$eval("input[name=from]", (input) => { input.value = "2019-12-01"; });
    await Promise.all([page.waitForNavigation(), page.click("form button")]);
    assert.match(await page.$eval("#days", (section) => section.textContent), /Nothing/);
    // With the policy as it is, and without the checker.
    const strict = await browser.newPage();
    strict.on("console", (message) => { if (message.type() === "error") errors.push(message.text()); });
    await strict.goto(`${address}/project?project=omni`, { waitUntil: "load" });
    await strict.waitForFunction(() => document.getElementById("live").textContent.includes("as they arrive"));
    assert.deepStrictEqual(elsewhere, [], "requests to elsewhere");
    assert.deepStrictEqual(errors, [], "errors in the page");
  } finally {
    await browser.close();
    server.kill();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error) => { console.error(error); process.exit(1); });
