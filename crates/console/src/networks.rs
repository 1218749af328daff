//! Networks that a credential is good from, as a form has them: one a line.

use ipnet::IpNet;

/// The networks; or the line that is none.
pub(crate) fn read(typed: &str) -> Result<Vec<IpNet>, &str> {
    let lines = typed.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| network(line).ok_or(line)).collect()
}

/// A network in CIDR form, or one address.
pub(crate) fn network(line: &str) -> Option<IpNet> {
    let one = || line.parse::<std::net::IpAddr>().ok().map(|ip| IpNet::from(ip.to_canonical()));
    line.parse::<IpNet>().ok().or_else(one).map(|network| network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_stand_one_a_line_and_the_line_that_is_none_is_told() {
        let networks = |text: &'static str| {
            read(text).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let expected = ["192.0.2.0/24", "2001:db8::1/128"].map(str::to_owned);
        assert_eq!(networks("192.0.2.7/24\r\n\r\n 2001:db8::1 \n"), Ok(expected.into()));
        assert_eq!(networks("192.0.2.1\nthe office"), Err("the office"));
    }
}
