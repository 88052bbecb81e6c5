//! In which order the store lists entities (rule 1.3).
//!
//! The real store keeps an index entry under the base58 of the entity's id, and a list reads them
//! in that order. Ids end in 21 digits that count up with time, so entities of one prefix come in
//! the order of their creation; what stands before decides between prefixes, by leading digits –
//! always the same, and without a meaning. What a newcomer gets wrong: the prefix is the real
//! system's, not ours: a sandbox's is its app and service, a pool's says nothing.

use std::cell::RefCell;

use crate::hashed::{Hashed, hash_of};
use crate::model::{Kind, Name};

const DIGITS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// What an id that counts up ends in: 21 digits, the first of them the same for centuries.
const COUNTER: &str = "CX1111111111111111111";

/// The places of prefixes, worked out once each.
#[derive(Default)]
pub(super) struct Order(RefCell<Hashed<(Kind, Prefix, Name)>>);

/// What an id begins with, behind its kind: an app's or node's name, with a sandbox's service.
type Prefix = Option<(Name, Option<Name>)>;

impl Order {
    /// Where entities of a kind stand whose ids begin so; ties are in the order of creation.
    pub(super) fn place(&self, kind: Kind, prefix: Prefix) -> Name {
        let is = |(its, begins, _): &(Kind, Prefix, Name)| *its == kind && *begins == prefix;
        let make = || (kind, prefix, Name::new(&base58(&id(kind, prefix))));
        self.0.borrow_mut().get_or_insert_with(hash_of((kind, prefix)), is, make).2
    }
}

/// An id as the real store writes it.
fn id(kind: Kind, prefix: Prefix) -> String {
    match (kind, prefix) {
        (Kind::App, Some((app, _))) => ["app/", &app].concat(),
        (Kind::Node, Some((node, _))) => ["node/", &node].concat(),
        (Kind::Version, Some((app, _))) => ["app_version/", &app, "-v", COUNTER].concat(),
        (Kind::Sandbox, Some((app, Some(service)))) => ["sandbox/", &app, "-", &service, "-", COUNTER].concat(),
        _ => [kind.name(), "/", COUNTER].concat(),
    }
}

/// The number that the bytes are, in digits.
fn base58(text: &str) -> String {
    // Five digits and four bytes at a time: to divide takes long.
    const FIVE: u64 = 58_u64.pow(5);
    let mut limbs: Vec<u64> = Vec::new();
    for bytes in text.as_bytes().chunks(4) {
        let mut carry = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        for limb in &mut limbs {
            carry += *limb << (8 * bytes.len());
            *limb = carry % FIVE;
            carry /= FIVE;
        }
        while carry > 0 {
            limbs.push(carry % FIVE);
            carry /= FIVE;
        }
    }
    let mut digits = vec![0; 5 * limbs.len()];
    for (mut limb, digits) in limbs.into_iter().zip(digits.rchunks_exact_mut(5)) {
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[(limb % 58) as usize];
            limb /= 58;
        }
    }
    let first = digits.iter().position(|digit| *digit != b'1').unwrap_or(digits.len());
    digits.drain(..first);
    String::from_utf8(digits).expect("all are letters and digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base58_is_that_of_everybody() {
        assert_eq!(base58("Hello World!"), "2NEpo7TZRRrLZSi2U");
        assert_eq!(base58("a"), "2g");
    }

    #[test]
    fn prefixes_of_one_length_come_by_their_letters_and_others_by_leading_digits() {
        let order = Order::default();
        let place = |app, service| order.place(Kind::Sandbox, Some((Name::new(app), Some(Name::new(service)))));
        assert!(place("a", "web") < place("b", "web"));
        assert!(place("shop", "web") < place("blog", "worker"), "as measured on the real store");
        assert_eq!(place("a", "web"), place("a", "web"));
    }
}
