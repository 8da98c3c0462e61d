//! Panics in the way that its first argument says, after it has printed the function and the line. `report` delivers what is there instead.
//!
//! Whatever it could tell of its user is marked: the message, the thread's name, its arguments and its variables.

use automagik_telemetry::{Crash, Schema, Telemetry};
use std::cell::RefCell;
use std::hint::black_box;
use std::panic::{catch_unwind, panic_any};
use std::process::ExitCode;
use std::time::Duration;

#[derive(Schema)]
#[schema(organization = "automagik", project = "panics")]
enum Panics {
    Crash(Crash),
}

/// Says where the next line panics.
macro_rules! here {
    ($function:literal) => {
        println!("{} {}", $function, line!() + 1)
    };
}

fn main() -> ExitCode {
    let way = std::env::args().nth(1).unwrap_or_default();
    if way == "silent" {
        // A program's own hook, before ours.
        std::panic::set_hook(Box::new(|_| println!("hook")));
    }
    let telemetry = Telemetry::<Panics>::builder().report_panics(true).start();
    if std::env::var_os("PANICS_WAIT").is_some() {
        // Until the library has looked for what it needs.
        std::thread::sleep(Duration::from_millis(100));
    }
    match way.as_str() {
        "report" => return ExitCode::from(u8::from(telemetry.flush(Duration::from_secs(30)).is_err())),
        "message" | "silent" => message(),
        "none" => none(),
        "err" => err(),
        "index" => index(black_box(7)),
        "range" => range(black_box(7)),
        "overflow" => overflow(black_box(i32::MAX)),
        "zero" => zero(black_box(0)),
        "assert" => assertion(black_box(1)),
        "unreachable" => never(),
        "unimplemented" => later(),
        "borrow" => borrow(),
        "thread" => thread(),
        "small_stack" => small_stack(),
        "destructor" => destructor(),
        "twice" => twice(),
        "async" => in_async(),
        "runtime" => in_runtime(),
        "long" => long(),
        "any" => any(),
        "recursion" => recursion(black_box(200)),
        "circle" => circle(black_box(40)),
        "thousand" => thousand(),
        "plugin" => println!("plugin::fall {}", plugin(false)),
        "report_plugin" => drop(plugin(true)),
        #[cfg(unix)]
        "signal" => signal(),
        #[cfg(target_os = "linux")]
        "memory" => memory(),
        other => panic!("there is no way `{other}`"),
    }
    ExitCode::SUCCESS
}

#[inline(never)]
fn message() {
    here!("panics::message");
    panic!("MARKED message of {}", black_box("ada@example.org"));
}

#[inline(never)]
fn none() {
    let nothing: Option<u8> = black_box(None);
    here!("panics::none");
    nothing.unwrap();
}

#[inline(never)]
fn err() {
    let failed: Result<u8, &str> = black_box(Err("MARKED error"));
    here!("panics::err");
    failed.unwrap();
}

#[inline(never)]
fn index(at: usize) {
    let few = black_box([1, 2, 3]);
    here!("panics::index");
    black_box(few[at]);
}

#[inline(never)]
fn range(at: usize) {
    let text = black_box("MARKED");
    here!("panics::range");
    black_box(&text[at..]);
}

#[inline(never)]
fn overflow(number: i32) {
    here!("panics::overflow");
    black_box(number + 1);
}

#[inline(never)]
fn zero(number: i32) {
    here!("panics::zero");
    black_box(1 / number);
}

#[inline(never)]
fn assertion(number: i32) {
    here!("panics::assertion");
    assert_eq!(number, 2, "MARKED assertion");
}

#[inline(never)]
fn never() {
    here!("panics::never");
    unreachable!("MARKED branch");
}

#[inline(never)]
fn later() {
    here!("panics::later");
    unimplemented! {"MARKED work"}
}

#[inline(never)]
fn borrow() {
    let cell = black_box(RefCell::new(1));
    let _first = cell.borrow_mut();
    here!("panics::borrow");
    black_box(cell.borrow_mut());
}

#[inline(never)]
fn in_thread() {
    here!("panics::in_thread");
    panic!("MARKED in a thread");
}

fn thread() {
    let named = std::thread::Builder::new().name("MARKED thread".to_owned());
    let _ = named.spawn(in_thread).unwrap().join();
}

#[inline(never)]
fn in_small_stack() {
    here!("panics::in_small_stack");
    panic!("MARKED in a small stack");
}

fn small_stack() {
    let small = std::thread::Builder::new().stack_size(16 << 10);
    let _ = small.spawn(in_small_stack).unwrap().join();
}

struct Falls;

impl Drop for Falls {
    #[inline(never)]
    fn drop(&mut self) {
        here!("drop");
        panic!("MARKED in a destructor");
    }
}

fn destructor() {
    drop(black_box(Falls));
}

/// Panics while it panics: the process aborts.
#[inline(never)]
fn twice() {
    let _falls = black_box(Falls);
    here!("panics::twice");
    panic!("MARKED first");
}

#[inline(never)]
async fn falls_async() {
    here!("panics::falls_async");
    panic!("MARKED in async code");
}

fn in_async() {
    let mut future = Box::pin(falls_async());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let _ = black_box(future.as_mut().poll(&mut context));
}

fn in_runtime() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let _ = runtime.block_on(runtime.spawn(falls_async()));
}

#[inline(never)]
fn long() {
    let message = "MARKED ".repeat(1 << 17);
    here!("panics::long");
    panic!("{message}");
}

#[inline(never)]
fn any() {
    here!("panics::any");
    panic_any(("MARKED", 7));
}

#[inline(never)]
fn recursion(depth: u32) {
    if depth == 0 {
        here!("panics::recursion");
        panic!("MARKED at the bottom");
    }
    recursion(black_box(depth - 1));
    black_box(depth);
}

#[inline(never)]
fn circle(depth: u32) {
    there_and_back(black_box(depth));
    black_box(depth);
}

#[inline(never)]
fn there_and_back(depth: u32) {
    if depth == 0 {
        here!("panics::there_and_back");
        panic!("MARKED in a circle");
    }
    circle(black_box(depth - 1));
    black_box(depth);
}

#[inline(never)]
fn caught() {
    panic!("MARKED and caught");
}

fn thousand() {
    println!("panics::caught {}", line!() - 4);
    std::panic::set_hook(Box::new({
        let before = std::panic::take_hook();
        // The language's own hook prints each; ours goes on.
        move |panic| before(panic)
    }));
    for _ in 0..1_000 {
        let _ = catch_unwind(caught);
    }
}

/// Has a library panic, or deliver what it told; gives the line of the panic.
fn plugin(report: bool) -> u32 {
    let folder = std::env::current_exe().unwrap().with_file_name("");
    let path = folder.join(libloading::library_filename("plugin"));
    // SAFETY: it is the library of this package, which has no code that runs at loading.
    unsafe {
        let library = libloading::Library::new(path).unwrap();
        let run: libloading::Symbol<extern "C" fn(bool) -> u32> = library.get(b"run_plugin").unwrap();
        let line = run(report);
        // Its thread may still run.
        std::mem::forget(library);
        line
    }
}

/// Panics in a call that a signal has interrupted.
#[cfg(unix)]
#[inline(never)]
fn signal() {
    use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
    extern "C" fn nothing(_: i32) {}
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.unwrap();
    let waiting = std::thread::spawn(|| {
        let waiting = nix::sys::pthread::pthread_self();
        std::thread::spawn(move || {
            for _ in 0..20 {
                std::thread::sleep(Duration::from_millis(10));
                let _ = nix::sys::pthread::pthread_kill(waiting, Signal::SIGUSR1);
            }
        });
        let (reader, _writer) = std::io::pipe().unwrap();
        interrupted(&reader);
    });
    let _ = waiting.join();
}

#[cfg(unix)]
#[inline(never)]
fn interrupted(mut reader: &std::io::PipeReader) {
    use std::io::Read;
    let read = reader.read(&mut [0]);
    here!("panics::interrupted");
    read.unwrap();
}

/// Panics where there is no memory left but for small things: without those the language itself can't panic.
#[cfg(target_os = "linux")]
#[inline(never)]
fn memory() {
    use nix::sys::resource::{Resource, setrlimit};
    setrlimit(Resource::RLIMIT_AS, 1 << 20, 1 << 20).unwrap();
    println!("panics::memory {}", line!() + 6);
    let mut size = 1 << 20;
    loop {
        let mut taken: Vec<u8> = Vec::new();
        if taken.try_reserve_exact(size).is_err() {
            size /= 2;
            assert!(size > 4_096, "MARKED no memory");
        }
        std::mem::forget(black_box(taken));
    }
}
