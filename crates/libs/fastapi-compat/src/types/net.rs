//! `ipaddress` and pydantic's `IPvAny…`: addresses, interfaces and networks.

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::constraints::{Accepts, Constraints};
use crate::decode::{Decode, deserialize_by_rules};
use crate::errors::{Errors, Exactness, Loc};
use crate::openapi::json_schema;
use crate::value::Value;

/// `IPv4Address`: a text or an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ipv4Address(pub Ipv4Addr);

/// `IPv6Address`: a text, perhaps with a scope, or an integer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ipv6Address {
    /// The address.
    pub address: Ipv6Addr,
    /// What stands behind `%`.
    pub scope: Option<String>,
}

/// `IPvAnyAddress`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IpAnyAddress {
    /// Version 4.
    V4(Ipv4Address),
    /// Version 6.
    V6(Ipv6Address),
}

/// A network, or an interface in one: an address and the length of the network's prefix.
macro_rules! networks {
    ($($(#[$doc:meta])* $name:ident($address:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name {
            /// The address.
            pub address: $address,
            /// How many bits of it are the network's.
            pub prefix: u8,
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}/{}", self.address, self.prefix)
            }
        }
    )*};
}

networks! {
    /// `IPv4Network`: no bit behind the prefix is set.
    Ipv4Network(Ipv4Address);
    /// `IPv6Network`: no bit behind the prefix is set.
    Ipv6Network(Ipv6Address);
    /// `IPvAnyNetwork`: no bit behind the prefix is set.
    IpAnyNetwork(IpAnyAddress);
    /// `IPv4Interface`.
    Ipv4Interface(Ipv4Address);
    /// `IPv6Interface`.
    Ipv6Interface(Ipv6Address);
    /// `IPvAnyInterface`.
    IpAnyInterface(IpAnyAddress);
}

impl fmt::Display for Ipv4Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// As Python writes it: the last 32 bits are never written as an address of version 4.
impl fmt::Display for Ipv6Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups = self.address.segments();
        // The first of the longest rows of zeros, if it has more than one.
        let (mut best, mut row) = (0..0, 0..0);
        for (index, &group) in groups.iter().enumerate() {
            row = if group == 0 { row.start..index + 1 } else { index + 1..index + 1 };
            if row.len() > best.len() {
                best = row.clone();
            }
        }
        let write = |f: &mut fmt::Formatter<'_>, groups: &[u16]| {
            groups.iter().enumerate().try_for_each(|(index, group)| {
                f.write_str(if index == 0 { "" } else { ":" })?;
                write!(f, "{group:x}")
            })
        };
        if best.len() > 1 {
            write(f, &groups[..best.start])?;
            f.write_str("::")?;
            write(f, &groups[best.end..])?;
        } else {
            write(f, &groups)?;
        }
        self.scope.iter().try_for_each(|scope| write!(f, "%{scope}"))
    }
}

impl fmt::Display for IpAnyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => address.fmt(f),
        }
    }
}

/// The length of a prefix in digits.
fn numeric_prefix(text: &str) -> Option<u8> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let significant = text.trim_start_matches('0');
    if significant.is_empty() {
        digits.then_some(0)
    } else {
        significant.parse().ok().filter(|_| digits)
    }
}

/// An address of one version, or of either.
trait Address: Sized {
    /// Reads a text.
    fn parse(text: &str) -> Option<Self>;

    /// Reads an integer.
    fn of_number(number: u128) -> Option<Self>;

    fn bits(&self) -> u128;

    /// How many bits it has.
    fn length(&self) -> u8;

    /// The length of the prefix in a text.
    fn prefix(&self, text: &str) -> Option<u8> {
        numeric_prefix(text).filter(|&length| length <= self.length())
    }

    /// Whether a bit behind the prefix is set.
    fn has_host_bits(&self, prefix: u8) -> bool {
        let host = self.length() - prefix;
        let mask = if host == 128 { u128::MAX } else { (1 << host) - 1 };
        self.bits() & mask != 0
    }
}

impl Address for Ipv4Address {
    fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    fn of_number(number: u128) -> Option<Self> {
        u32::try_from(number).ok().map(|number| Self(number.into()))
    }

    fn bits(&self) -> u128 {
        self.0.to_bits().into()
    }

    fn length(&self) -> u8 {
        32
    }

    /// A number, or a mask of the network's or of the host's bits.
    fn prefix(&self, text: &str) -> Option<u8> {
        if let Some(length) = numeric_prefix(text) {
            return Some(length).filter(|&length| length <= 32);
        }
        let mask = text.parse::<Ipv4Addr>().ok()?.to_bits();
        [mask, !mask].into_iter().find_map(|mask| {
            let ones = mask.leading_ones();
            (ones + mask.trailing_zeros() >= 32).then(|| u8::try_from(ones).ok()).flatten()
        })
    }
}

impl Address for Ipv6Address {
    fn parse(text: &str) -> Option<Self> {
        let (address, scope) = match text.split_once('%') {
            Some((_, scope)) if scope.is_empty() || scope.contains(['%', '/']) => return None,
            Some((address, scope)) => (address, Some(scope.to_owned())),
            None => (text, None),
        };
        Some(Self { address: address.parse().ok()?, scope })
    }

    fn of_number(number: u128) -> Option<Self> {
        Some(Self { address: number.into(), scope: None })
    }

    fn bits(&self) -> u128 {
        self.address.to_bits()
    }

    fn length(&self) -> u8 {
        128
    }
}

impl Address for IpAnyAddress {
    fn parse(text: &str) -> Option<Self> {
        let version_4 = Ipv4Address::parse(text).map(Self::V4);
        version_4.or_else(|| Ipv6Address::parse(text).map(Self::V6))
    }

    fn of_number(number: u128) -> Option<Self> {
        let version_4 = Ipv4Address::of_number(number).map(Self::V4);
        version_4.or_else(|| Ipv6Address::of_number(number).map(Self::V6))
    }

    fn bits(&self) -> u128 {
        match self {
            Self::V4(address) => address.bits(),
            Self::V6(address) => address.bits(),
        }
    }

    fn length(&self) -> u8 {
        match self {
            Self::V4(address) => address.length(),
            Self::V6(address) => address.length(),
        }
    }

    fn prefix(&self, text: &str) -> Option<u8> {
        match self {
            Self::V4(address) => address.prefix(text),
            Self::V6(address) => address.prefix(text),
        }
    }
}

fn number(input: &Value) -> Option<u128> {
    match input {
        Value::Int(number) => u128::try_from(*number).ok(),
        Value::BigInt(digits) => digits.parse().ok(),
        Value::Bool(value) => Some((*value).into()),
        _ => None,
    }
}

fn address<A: Address>(input: &Value) -> Option<A> {
    match input {
        Value::Str(text) => A::parse(text),
        input => A::of_number(number(input)?),
    }
}

/// An address and the length of its prefix.
fn with_prefix<A: Address>(input: &Value) -> Option<(A, u8)> {
    let Value::Str(text) = input else {
        let address = A::of_number(number(input)?)?;
        let length = address.length();
        return Some((address, length));
    };
    let Some((before, prefix)) = text.split_once('/') else {
        let address = A::parse(text)?;
        let length = address.length();
        return Some((address, length));
    };
    let address = A::parse(before)?;
    let prefix = address.prefix(prefix)?;
    Some((address, prefix))
}

macro_rules! decoded {
    ($($name:ident $kind:literal $message:literal $label:expr, |$input:ident| $read:expr;)*) => {$(
        impl Decode for $name {
            const ACCEPTS: Accepts = Accepts::NONE;

            json_schema!();

            fn name(_: &Constraints) -> Cow<'static, str> {
                $label.into()
            }

            fn decode(
                $input: &Value,
                _: &Constraints,
                at: &Loc<'_>,
                errors: &mut Errors,
            ) -> Option<Self> {
                errors.fits(Exactness::Lax);
                let read = $read;
                read.or_else(|| errors.add($kind, at, $message, $input, &[]))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_by_rules(deserializer)
            }
        }
    )*};
}

/// What pydantic calls the types of `ipaddress` where it names the choices of a union.
macro_rules! label {
    ($class:literal, $function:literal) => {
        concat!(
            "lax-or-strict[lax=function-plain[",
            $function,
            "()],strict=json-or-python[json=function-after[",
            $class,
            "(), str],python=is-instance[",
            $class,
            "]]]"
        )
    };
}

const ANY: &str = "function-plain[_validate()]";

decoded! {
    Ipv4Address "ip_v4_address" "Input is not a valid IPv4 address"
        label!("IPv4Address", "ip_v4_address_validator"), |input| address(input);
    Ipv6Address "ip_v6_address" "Input is not a valid IPv6 address"
        label!("IPv6Address", "ip_v6_address_validator"), |input| address(input);
    IpAnyAddress "ip_any_address" "value is not a valid IPv4 or IPv6 address" ANY,
        |input| address(input);
    Ipv4Network "ip_v4_network" "Input is not a valid IPv4 network"
        label!("IPv4Network", "ip_v4_network_validator"), |input| network(input)
            .map(|(address, prefix)| Self { address, prefix });
    Ipv6Network "ip_v6_network" "Input is not a valid IPv6 network"
        label!("IPv6Network", "ip_v6_network_validator"), |input| network(input)
            .map(|(address, prefix)| Self { address, prefix });
    IpAnyNetwork "ip_any_network" "value is not a valid IPv4 or IPv6 network" ANY,
        |input| network(input).map(|(address, prefix)| Self { address, prefix });
    Ipv4Interface "ip_v4_interface" "Input is not a valid IPv4 interface"
        label!("IPv4Interface", "ip_v4_interface_validator"), |input| with_prefix(input)
            .map(|(address, prefix)| Self { address, prefix });
    Ipv6Interface "ip_v6_interface" "Input is not a valid IPv6 interface"
        label!("IPv6Interface", "ip_v6_interface_validator"), |input| with_prefix(input)
            .map(|(address, prefix)| Self { address, prefix });
    IpAnyInterface "ip_any_interface" "value is not a valid IPv4 or IPv6 interface" ANY,
        |input| with_prefix(input).map(|(address, prefix)| Self { address, prefix });
}

/// An address without bits behind its prefix.
fn network<A: Address>(input: &Value) -> Option<(A, u8)> {
    with_prefix(input).filter(|(address, prefix)| !A::has_host_bits(address, *prefix))
}
