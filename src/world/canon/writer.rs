//! Writes a canonical state, one fact after the other.
//!
//! It knows how each kind of value is written so that equal bytes mean equal states, and not
//! what belongs to a state: that is the parent's. It reads a capture and never the world, which has
//! gone on meanwhile. References become ranks, texts and specs are written out. What a newcomer
//! gets wrong: what is written without its length or type can be taken for something else.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::kernel::SimTime;
use crate::model::{DiskConfig, Entity, Field, Kind, Name, PortConfig, SandboxSpec, SandboxStatus, Subject, Value};
use crate::ports::{Listed, Nonce, Versioned};

use super::capture::Capture;
use super::facts::Decoded;
use super::visited::Digest;

/// Collects the bytes of a state. Whatever is written can be read again in one way only: lists
/// carry their lengths, and what may be of several types its type.
pub(super) struct Canon<'a> {
    pub(super) capture: &'a Capture,
    bytes: &'a mut Vec<u8>,
    /// The things that exist, by kind, sorted: the number of each is its place.
    pub(super) ranks: [Vec<u32>; KINDS],
    /// Numbers for what is referred to and gone, by kind and number there, in the order of mention.
    gone: BTreeMap<(usize, u32), u64>,
    /// The same for the proofs of leases: only which of them are the same matters.
    nonces: Vec<Nonce>,
    /// The specs that were written, by version, each with its number.
    specs: BTreeMap<u32, Vec<(Rc<SandboxSpec>, u64)>>,
    specs_written: u64,
    /// Whether it matters which address of a node is which.
    pub(super) by_place: Vec<bool>,
    /// The instants that are longer past than any rule looks: only their order matters.
    long_past: Vec<SimTime>,
}

/// Every instant that the rows of a table hold.
fn instants<E: Entity>(rows: &Listed<E>, note: &mut impl FnMut(SimTime)) {
    for row in rows.iter() {
        note(row.meta.created_at);
        note(row.meta.updated_at);
        row.entity.for_each_field(|_, value| {
            if let Value::Time(at) = value {
                note(at);
            }
        });
    }
}

const KINDS: usize = Kind::Process as usize + 1;

impl<'a> Canon<'a> {
    pub(super) fn new(capture: &'a Capture, bytes: &'a mut Vec<u8>) -> Self {
        bytes.clear();
        Self {
            capture,
            bytes,
            ranks: Default::default(),
            gone: BTreeMap::new(),
            nonces: Vec::new(),
            specs: BTreeMap::new(),
            specs_written: 0,
            by_place: Vec::new(),
            long_past: Vec::new(),
        }
    }

    /// The digest of everything that was written.
    pub(super) fn finish(self) -> Digest {
        *blake3::hash(self.bytes).as_bytes()
    }

    /// Writes a number, seven bits a byte: most are small.
    #[inline]
    pub(super) fn number(&mut self, n: u64) {
        if n < 0x80 {
            self.bytes.push(n as u8);
        } else {
            self.long_number(n);
        }
    }
    fn long_number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.bytes.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.bytes.push(n as u8);
    }
    /// Writes a text, with its length.
    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend(text.as_bytes());
    }
    /// Writes a text that may be absent.
    fn maybe_text(&mut self, text: Option<Name>) {
        self.number(u64::from(text.is_some()));
        self.text(text.as_deref().unwrap_or_default());
    }
    /// Writes an instant relative to now; of what is long past, only which was earlier.
    pub(super) fn time(&mut self, at: SimTime) {
        let (tag, distance) = self.capture.caps.age(self.capture.now, at);
        let mut bytes = [tag; 9];
        bytes[1..].copy_from_slice(&distance.as_nanos().to_le_bytes());
        self.bytes.extend_from_slice(&bytes);
        if let Ok(place) = self.long_past.binary_search(&at) {
            self.number(place as u64);
        }
    }

    /// Puts the instants that are long past into their order: two of them may be compared with each
    /// other, as activity is, or a death with the crashes that were counted.
    pub(super) fn order_long_past(&mut self) {
        let Capture { now, caps, lists, facts, .. } = self.capture;
        let mut found = Vec::new();
        let mut note = |at: SimTime| {
            if caps.is_long_past(*now, at) {
                found.push(at);
            }
        };
        instants(&lists.apps, &mut note);
        instants(&lists.versions, &mut note);
        instants(&lists.pools, &mut note);
        instants(&lists.sandboxes, &mut note);
        instants(&lists.disks, &mut note);
        instants(&lists.leases, &mut note);
        instants(&lists.nodes, &mut note);
        facts.iter().for_each(|fact| {
            if let Decoded::Moment(Some(at)) = fact {
                note(at);
            }
        });
        found.sort_unstable();
        found.dedup();
        self.long_past = found;
    }

    /// Writes an instant that may be absent.
    pub(super) fn maybe_time(&mut self, at: Option<SimTime>) {
        match at {
            None => self.number(0),
            Some(at) => self.time(at),
        }
    }
    /// Writes a reference by the number of what it refers to.
    pub(super) fn reference(&mut self, subject: Subject) {
        self.thing(subject.kind as usize, subject.index);
    }
    fn thing(&mut self, kind: usize, index: u32) {
        self.number(kind as u64);
        if let Ok(rank) = self.ranks[kind].binary_search(&index) {
            self.number((rank as u64) << 1);
        } else {
            let next = self.gone.len() as u64;
            let number = *self.gone.entry((kind, index)).or_insert(next);
            self.number(number << 1 | 1);
        }
    }
    /// Writes the value of a field.
    pub(super) fn value(&mut self, value: Value) {
        match value {
            Value::None => self.number(0),
            Value::Int(n) => {
                self.number(1);
                self.number(n);
            }
            Value::Time(at) => {
                self.number(2);
                self.time(at);
            }
            Value::Ref(subject) => {
                self.number(3);
                self.reference(subject);
            }
            Value::Text(text) => {
                self.number(4);
                self.text(&text);
            }
            Value::Status(status) => {
                self.number(5);
                self.text(status.name());
            }
            Value::Filesystem(filesystem) => {
                self.number(5);
                self.text(filesystem.name());
            }
            Value::Address(address) => {
                self.number(6);
                self.number(u64::from(address.node));
                let node = usize::from(address.node);
                let place = if self.by_place[node] { address.host } else { 0 };
                self.number(u64::from(place));
                let host = usize::from(address.host) - 1;
                let slot = self.capture.nodes[node].0.slots().get(host).copied().unwrap_or_default();
                let (what, detail) = self.class(&slot);
                self.number(what);
                self.number(detail);
            }
        }
    }
    fn is_dead(&self, kind: usize, index: u32) -> bool {
        let sandboxes = &self.capture.lists.sandboxes;
        kind == Kind::Sandbox as usize
            && sandboxes.iter().any(|row| row.id.index() == index && row.entity.status == SandboxStatus::Dead)
    }
    /// Writes one thing that a controller remembers, or the end of its memory.
    pub(super) fn fact(&mut self, fact: Decoded) {
        match fact {
            Decoded::End => self.number(0),
            Decoded::Thing(kind, index) => {
                self.number(1);
                self.thing(kind, index);
            }
            // Nobody does anything for the dead but read them: whether the retry of one is still to come or is
            // over decides nothing, and when it comes is drawn.
            Decoded::Waits(kind, index) if self.is_dead(kind, index) => {}
            Decoded::Waits(kind, index) => {
                self.number(6);
                self.thing(kind, index);
            }
            Decoded::Number(n) => {
                self.number(2);
                self.number(n);
            }
            Decoded::Moment(at) => {
                self.number(3);
                self.maybe_time(at);
            }
            Decoded::Nonce(nonce) => {
                self.number(4 + u64::from(nonce.is_some()));
                nonce.into_iter().for_each(|nonce| self.nonce(nonce));
            }
        }
    }
    pub(super) fn nonce(&mut self, nonce: Nonce) {
        let known = self.nonces.iter().position(|known| *known == nonce);
        let place = known.unwrap_or_else(|| {
            self.nonces.push(nonce);
            self.nonces.len() - 1
        });
        self.number(place as u64);
    }

    /// Ranks the rows of a table, and gives them in the order of their ranks.
    pub(super) fn rank_all<E: Entity>(&mut self) -> Vec<&'a Versioned<E>> {
        let mut rows: Vec<_> = E::of(&self.capture.lists).iter().collect();
        rows.sort_unstable_by_key(|row| row.id);
        self.ranks[E::KIND as usize] = rows.iter().map(|row| row.id.index()).collect();
        rows
    }

    /// The number of a thing, if it exists.
    pub(super) fn rank(&self, subject: Subject) -> Option<u64> {
        let rank = self.ranks[subject.kind as usize].binary_search(&subject.index).ok()?;
        Some(rank as u64)
    }

    pub(super) fn table<E: Entity>(&mut self, rows: &[&Versioned<E>], more: impl Fn(&mut Self, &E)) {
        self.number(rows.len() as u64);
        for row in rows {
            self.time(row.meta.created_at);
            self.time(row.meta.updated_at);
            row.entity.for_each_field(|field, value| {
                // An instance number decides nothing but the next one: it is a name. The crashes and
                // addresses are written by whoever knows which of them matter.
                if !matches!(field, Field::ConsecutiveCrashCount | Field::Instance | Field::Address) {
                    self.value(value);
                }
            });
            more(self, &row.entity);
        }
    }

    /// Writes a spec when it is mentioned first, and from then on its number.
    pub(super) fn spec(&mut self, spec: &Rc<SandboxSpec>) {
        let same = |(known, _): &&(Rc<SandboxSpec>, u64)| Rc::ptr_eq(known, spec) || known == spec;
        let of_version = self.specs.entry(spec.version.index()).or_default();
        if let Some((_, number)) = of_version.iter().find(same) {
            let number = *number;
            self.number(number);
            return;
        }
        let number = self.specs_written;
        self.specs_written += 1;
        of_version.push((Rc::clone(spec), number));
        self.number(number);
        self.reference(spec.version.into());
        self.text(&spec.image);
        self.maybe_text(spec.command);
        self.number(spec.ports.len() as u64);
        for PortConfig { number, name, port_type, protocol, node_port } in &spec.ports {
            self.number(u64::from(*number));
            self.text(name);
            self.text(port_type);
            self.number(*protocol as u64);
            self.number(u64::from(*node_port));
        }
        for limit in [spec.port_timeout, spec.shutdown_timeout] {
            self.number(limit.map_or(0, |limit| limit.as_nanos() + 1));
        }
        self.number(spec.env.len() as u64);
        for (key, value) in &spec.env {
            self.text(key);
            self.text(value);
        }
        self.number(spec.volumes.len() as u64);
        spec.volumes.iter().for_each(|disk| self.wanted_disk(disk));
    }

    fn wanted_disk(&mut self, disk: &DiskConfig) {
        let DiskConfig { name, mount_path, read_only, size_gb, filesystem, lease_timeout } = *disk;
        self.text(&name);
        self.text(&mount_path);
        self.number(u64::from(read_only));
        self.number(u64::from(size_gb));
        self.number(filesystem as u64);
        self.number(lease_timeout.map_or(0, |limit| limit.as_nanos() + 1));
    }
}
