# The HTTP interface of ClickHouse, as far as a collector writes through it, in front of the engine in process. The statements of standard input are run first, which end with
# a line of `;`; then its port is printed.
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from chdb import session

database = session.Session()
# One statement at a time.
lock = threading.Lock()


class Front(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def body(self):
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        body = b""
        while True:
            length = int(self.rfile.readline(), 16)
            body += self.rfile.read(length)
            self.rfile.readline()
            if length == 0:
                return body

    def answer(self):
        asked = parse_qs(urlsplit(self.path).query)
        body = self.body()
        statement = asked["query"][0]
        try:
            with lock, tempfile.NamedTemporaryFile() as file:
                file.write(body)
                file.flush()
                if "database" in asked:
                    database.query("USE " + asked["database"][0])
                for name in asked:
                    if name.startswith("input_format_"):
                        database.query(f"SET {name} = {asked[name][0]}")
                # Rows stand behind the statement, in another form than text.
                statement = statement.replace(" FORMAT ", f" FROM INFILE '{file.name}' FORMAT ") if body else statement
                status, text = 200, str(database.query(statement, "TabSeparated"))
        except Exception as error:
            status, text = 500, str(error)
        answer = text.encode()
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


for statement in sys.stdin.read().split("\n;\n"):
    if statement.strip():
        database.query(statement)
server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
print(server.server_port, flush=True)
server.serve_forever()
