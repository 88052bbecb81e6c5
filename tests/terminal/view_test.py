"""Opens `schedsim view` in a pseudo terminal: what it draws, and that the terminal is given back.

    view_test.py SCHEDSIM FILE
    view_test.py TESTS --bug NAME      a test that breaks while it has the terminal

Needs Python's own `pty` and nothing else. What keys do is tested cell by cell in src/view.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import unittest

PATIENCE = 60
SCHEDSIM = FILE = None
FOREVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scenarios/mir-788/forever-pending.toml")


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, *words, command=("view",), size=(80, 24), **environment):
        self.master, slave = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(slave)
        known = {"TERM": "xterm", "LANG": "C.UTF-8", "PATH": os.environ["PATH"]}
        self.seen = self.new = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for stream in range(3):
                os.dup2(slave, stream)
            os.execve(SCHEDSIM, [SCHEDSIM, *command, *words], {**known, **environment})
        self.slave = slave

    def resize(self, width, height):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, wait):
        """Whether anything came."""
        ready, _, _ = select.select([self.master], [], [], wait)
        if ready:
            came = os.read(self.master, 1 << 16)
            self.seen += came
            self.new += came
        return bool(ready)

    def wait_for(self, text):
        """Reads until that was drawn, since it was last forgotten."""
        end = time.monotonic() + PATIENCE
        while text not in self.text():
            if time.monotonic() > end:
                raise AssertionError(f"no {text!r} in {self.text()!r}")
            self.read(0.1)

    def text(self):
        """What was drawn, without where and in which colours; a gap is a blank."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", self.new.decode("utf-8", "replace"))

    def forget(self):
        while self.read(0.2):
            pass
        self.new = b""

    def type(self, keys):
        os.write(self.master, keys.encode())

    def ended(self):
        """The status, once it has ended."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read(0):
                    pass
                return os.waitstatus_to_exitcode(status)
            self.read(0.05)
        raise AssertionError("it does not end")


class OnATerminal(unittest.TestCase):
    def given_back(self, terminal, status):
        self.assertEqual(terminal.ended(), status)
        self.assertIn(b"\x1b[?1049h", terminal.seen, "it draws on the other screen")
        self.assertIn(b"\x1b[?1049l", terminal.seen, "and leaves it")
        self.assertIn(b"\x1b[?25h", terminal.seen, "the cursor is seen again")
        self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before, "the terminal is as it was")


class Bug(OnATerminal):
    def test_the_terminal_is_given_back_before_the_bug_is_told(self):
        terminal = Terminal(FILE, "--exact", "--nocapture", command=(), BREAKS="1")
        self.given_back(terminal, 101)
        told = terminal.seen.index(b"this is a bug in schedsim")
        self.assertIn(b"this bug is meant", terminal.seen[told:])
        self.assertLess(terminal.seen.index(b"\x1b[?1049l"), told, "nothing is told on a screen that goes")


class View(OnATerminal):
    def test_it_shows_a_run_and_a_key_ends_it(self):
        terminal = Terminal(FILE)
        terminal.wait_for("? keys")
        self.assertIn("cluster", terminal.text())
        terminal.type("?")
        terminal.wait_for("to another cause")
        terminal.type("x")
        terminal.type("q")
        self.given_back(terminal, 0)

    def test_control_c_and_signals_end_it(self):
        sent = [(lambda t, s=s: os.kill(t.pid, s), 128 + s) for s in (signal.SIGTERM, signal.SIGHUP)]
        for end, status in [(lambda t: t.type("\x03"), 0), *sent]:
            terminal = Terminal(FILE)
            terminal.wait_for("? keys")
            end(terminal)
            self.given_back(terminal, status)

    def test_control_c_ends_it_while_it_runs_what_takes_long(self):
        terminal = Terminal(FOREVER, "--set", "horizon=12h")
        terminal.wait_for("? keys")
        terminal.type("nwa")
        terminal.wait_for("trying each")
        begun = time.monotonic()
        terminal.type("x\x03")
        self.given_back(terminal, 0)
        self.assertLess(time.monotonic() - begun, 2, "not only when it is done")

    def test_what_is_typed_while_it_runs_is_not_lost(self):
        terminal = Terminal(FOREVER)
        terminal.wait_for("? keys")
        terminal.type("nwa")
        terminal.wait_for("trying each")
        terminal.type("w?")
        terminal.wait_for("to another cause")
        terminal.type("xq")
        self.given_back(terminal, 0)

    def test_it_ends_with_its_terminal(self):
        terminal = Terminal(FILE)
        terminal.wait_for("? keys")
        os.close(terminal.slave)
        os.close(terminal.master)
        end = time.monotonic() + PATIENCE / 6
        while not (ended := os.waitpid(terminal.pid, os.WNOHANG)[0]) and time.monotonic() < end:
            time.sleep(0.05)
        if not ended:
            os.kill(terminal.pid, signal.SIGKILL)
        self.assertTrue(ended, "it lives on without a terminal")

    def test_another_size_is_drawn_anew(self):
        terminal = Terminal(FILE)
        terminal.wait_for("? keys")
        for size in [(40, 10), (200, 50), (1, 1), (60, 20)]:
            terminal.resize(*size)
            os.kill(terminal.pid, signal.SIGWINCH)
        terminal.forget()
        terminal.type("?")
        terminal.wait_for("earlier, later")
        terminal.type("x")
        terminal.resize(40, 10)
        os.kill(terminal.pid, signal.SIGWINCH)
        terminal.forget()
        terminal.type("?")
        terminal.wait_for("more of them")
        self.assertNotIn("these keys", terminal.text())
        terminal.type("\x1b[6~" * 3)
        terminal.wait_for("these keys")
        terminal.type("xq")
        self.given_back(terminal, 0)

    def test_colours_are_sixteen_or_none(self):
        coloured = Terminal(FILE)
        coloured.wait_for("? keys")
        coloured.type("q")
        self.given_back(coloured, 0)
        self.assertRegex(coloured.seen, rb"\x1b\[38;5;[0-9]", "there are colours")
        self.assertNotRegex(coloured.seen, rb"\x1b\[[0-9;]*[34]8;2;", "none of them is of millions")
        beyond = [int(number) for number in re.findall(rb"[34]8;5;(\d+)", coloured.seen) if int(number) > 15]
        self.assertEqual(beyond, [])
        plain = Terminal(FILE, NO_COLOR="1")
        plain.wait_for("? keys")
        plain.type("q")
        self.given_back(plain, 0)
        self.assertNotRegex(plain.seen, rb"[34]8;5;")

    def test_without_utf8_it_draws_ascii(self):
        terminal = Terminal(FILE, LANG="C")
        terminal.wait_for("? keys")
        terminal.type("q")
        self.given_back(terminal, 0)
        self.assertTrue(terminal.seen.isascii())


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[2] == "--bug":
        SCHEDSIM, _, FILE = sys.argv[1:]
        unittest.main(argv=[sys.argv[0], "Bug"])
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    SCHEDSIM, FILE = (os.path.abspath(path) for path in sys.argv[1:])
    unittest.main(argv=[sys.argv[0], "View"])
