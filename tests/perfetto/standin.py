"""A stand-in for Perfetto's trace processor: the same tables, for queries to run on SQLite.

Follows what the importer of JSON traces does with the events that schedsim writes: slices nest by
a stack for each track, an arrow is tied to the topmost slice of its thread, counters belong to
the process. What the importer would only count as an error stops this one. It is no proof that
the trace processor takes the file; `check.py` says loudly when it had to do.
"""

import json
import sqlite3

TABLES = """
CREATE TABLE process (upid INTEGER PRIMARY KEY, pid INT, name TEXT);
CREATE TABLE thread (utid INTEGER PRIMARY KEY, tid INT, upid INT, name TEXT);
CREATE TABLE thread_track (id INTEGER PRIMARY KEY, utid INT);
CREATE TABLE process_track (id INTEGER PRIMARY KEY, upid INT, name TEXT);
CREATE TABLE process_counter_track (id INTEGER PRIMARY KEY, upid INT, name TEXT);
CREATE TABLE slice (id INTEGER PRIMARY KEY, ts INT, dur INT, track_id INT, name TEXT, category TEXT, depth INT, parent_id INT);
CREATE TABLE counter (id INTEGER PRIMARY KEY, ts INT, track_id INT, value REAL);
CREATE TABLE flow (id INTEGER PRIMARY KEY, slice_out INT, slice_in INT);
CREATE TABLE stats (name TEXT, severity TEXT, value INT);
"""


class Broken(Exception):
    """The trace is not as the importer wants it."""


class Standin:
    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            events = json.load(file)["traceEvents"]
        self.db = sqlite3.connect(":memory:")
        self.db.executescript(TABLES)
        self.processes, self.threads, self.tracks = {}, {}, {}
        self.stacks, self.flows, self.open = {}, {}, {}
        self.ids = 0
        # As the importer's sorter: by time, and events of one time as the file has them.
        for event in sorted(events, key=lambda event: event.get("ts", 0)):
            self.check(event)
            getattr(self, "on_" + event["ph"])(event)
        if self.open:
            raise Broken(f"begun and never ended: {sorted(self.open)[:3]}")

    def query(self, sql):
        return [tuple(row) for row in self.db.execute(sql)]

    # -- rows

    def next(self):
        self.ids += 1
        return self.ids

    def insert(self, table, **row):
        row = {"id": self.next(), **row} if table not in ("process", "thread") else row
        marks = ", ".join("?" * len(row))
        self.db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
        return row.get("id")

    def process(self, pid):
        if pid not in self.processes:
            self.processes[pid] = upid = len(self.processes) + 1
            self.insert("process", upid=upid, pid=pid, name=None)
        return self.processes[pid]

    def thread(self, event):
        pid, tid = event["pid"], event["tid"]
        if tid not in self.threads:
            utid = len(self.threads) + 1
            self.threads[tid] = (utid, pid)
            self.insert("thread", utid=utid, tid=tid, upid=self.process(pid), name=None)
        if self.threads[tid][1] != pid:
            raise Broken(f"thread {tid} is of two processes")
        return self.threads[tid][0]

    def track(self, table, key, **row):
        if (table, key) not in self.tracks:
            self.tracks[(table, key)] = self.insert(table, **row)
        return self.tracks[(table, key)]

    def thread_track(self, event):
        utid = self.thread(event)
        return self.track("thread_track", utid, utid=utid)

    def slice(self, track, event, dur):
        ts = event["ts"] * 1000
        stack = self.stacks.setdefault(track, [])
        while stack and stack[-1][1] <= ts:
            stack.pop()
        if stack and ts + dur > stack[-1][1]:
            raise Broken(f"{event} overlaps what it begins in: slices of one track must nest")
        parent = stack[-1][0] if stack else None
        one = self.insert("slice", ts=ts, dur=dur, track_id=track, name=event["name"], category=event["cat"],
                          depth=len(stack), parent_id=parent)
        stack.append((one, ts + dur))
        return one

    # -- events

    def check(self, event):
        if event["ph"] == "M":
            return
        for key in ("ts", "dur", "id", "pid", "tid"):
            if key in event and (type(event[key]) is not int or event[key] < 0):
                raise Broken(f"{key} of {event} is no whole number")
        if "ts" not in event or "pid" not in event or "tid" not in event or "name" not in event:
            raise Broken(f"{event} has no place")

    def on_M(self, event):
        if event["name"] == "process_name":
            self.process(event["pid"])
            self.db.execute("UPDATE process SET name = ? WHERE pid = ?", (event["args"]["name"], event["pid"]))
        elif event["name"] == "thread_name":
            self.thread(event)
            self.db.execute("UPDATE thread SET name = ? WHERE tid = ?", (event["args"]["name"], event["tid"]))
        elif event["name"] not in ("process_sort_index", "thread_sort_index"):
            raise Broken(f"unknown metadata {event}")

    def on_X(self, event):
        self.slice(self.thread_track(event), event, event["dur"] * 1000)

    def on_i(self, event):
        if event["s"] != "t":
            raise Broken(f"{event} is of no thread")
        self.slice(self.thread_track(event), event, 0)

    def on_b(self, event):
        upid = self.process(event["pid"])
        key = (upid, event["cat"], event["id"], event["name"])
        if key in self.open:
            raise Broken(f"{event} begins twice")
        track = self.track("process_track", key, upid=upid, name=event["name"])
        self.open[key] = (track, event)

    def on_e(self, event):
        key = (self.process(event["pid"]), event["cat"], event["id"], event["name"])
        if key not in self.open:
            raise Broken(f"{event} ends what never began")
        track, begin = self.open.pop(key)
        self.slice(track, begin, (event["ts"] - begin["ts"]) * 1000)

    def on_C(self, event):
        upid = self.process(event["pid"])
        for key, value in event["args"].items():
            name = f"{event['name']} {key}"
            track = self.track("process_counter_track", (upid, name), upid=upid, name=name)
            self.insert("counter", ts=event["ts"] * 1000, track_id=track, value=float(value))

    def topmost(self, event):
        stack = self.stacks.get(self.thread_track(event))
        if not stack:
            raise Broken(f"{event} stands on no slice")
        return stack[-1][0]

    def on_s(self, event):
        if event["id"] in self.flows:
            raise Broken(f"arrow {event['id']} begins twice")
        self.flows[event["id"]] = self.topmost(event)

    def on_f(self, event):
        if event["bp"] != "e" or event["id"] not in self.flows:
            raise Broken(f"{event} ends no arrow")
        self.insert("flow", slice_out=self.flows[event["id"]], slice_in=self.topmost(event))
