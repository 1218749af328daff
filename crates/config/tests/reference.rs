//! `config/gatepost.toml` says the defaults that the code has, and says every key.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::Path;
use std::time::Duration;

use config::{Config, Delivery, OAuthProof, OAuthProvider, Retry, Way, Web};
use types::{HostTls, Mechanism};

const REFERENCE: &str = include_str!("../../../config/gatepost.toml");

/// What has no default, as the reference has it.
const REQUIRED: &str = r#"
    hostname = "mail.example.org"
    [storage]
    url = "sqlite:/var/lib/gatepost"
    master_key_file = "/etc/gatepost/master.key"
    [tls]
    certificate = "/etc/gatepost/tls/fullchain.pem"
    private_key = "/etc/gatepost/tls/privkey.pem"
"#;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("/etc/gatepost/gatepost.toml")).map_err(|error| error.to_string())
}

#[test]
fn the_reference_says_the_defaults() {
    assert_eq!(parse(REFERENCE).unwrap(), parse(REQUIRED).unwrap());
}

#[test]
fn what_the_reference_comments_out_can_be_written() {
    let text = REFERENCE
        .replace("optional = false", "optional = true")
        .replace("\n# relay_", "\nrelay_")
        .replace("\n# [auth", "\n[auth")
        .replace("\n# url", "\nurl")
        .replace("\n# secret_file", "\nsecret_file")
        .replace("\n# timeout", "\ntimeout")
        .replace("\n# concurrency", "\nconcurrency")
        .replace("\n# [[oauth", "\n[[oauth")
        .replace("\n# name", "\nname")
        .replace("\n# issuer", "\nissuer")
        .replace("\n# audience", "\naudience")
        .replace("\n# scope", "\nscope")
        .replace("\n# claim", "\nclaim")
        .replace("\n# algorithms", "\nalgorithms")
        .replace("\n# type", "\ntype")
        .replace("\n# jwks_uri", "\njwks_uri")
        .replace("\n# introspection", "\nintrospection")
        .replace("\n# client_", "\nclient_")
        .replace("\n# [[delivery", "\n[[delivery")
        .replace("\n# domains", "\ndomains")
        .replace("\n# senders", "\nsenders")
        .replace("\n# connections", "\nconnections")
        .replace("\n# retry", "\nretry")
        .replace("\n# via", "\nvia")
        .replace("\n# tls_ca", "\ntls_ca")
        .replace("\n# mechanisms", "\nmechanisms")
        .replace("\n# proxy_protocol", "\nproxy_protocol")
        .replace("\n# xclient", "\nxclient")
        .replace("\n# [health", "\n[health")
        .replace("\n# backup_stamp", "\nbackup_stamp")
        .replace("\n# [web", "\n[web")
        .replace("\n# [[web", "\n[[web")
        .replace("\n# base_url", "\nbase_url")
        .replace("\n# organisation", "\norganisation")
        .replace("\n# help", "\nhelp")
        .replace("\n# second_factor", "\nsecond_factor")
        .replace("\n# device_link", "\ndevice_link")
        .replace("\n# page_rate", "\npage_rate")
        .replace("\n# session_idle", "\nsession_idle")
        .replace("\n# session_max", "\nsession_max")
        .replace("\n# webhook_networks", "\nwebhook_networks")
        .replace("\n# token_max", "\ntoken_max")
        .replace("\n# api_rate", "\napi_rate")
        .replace("\n# admin_needs", "\nadmin_needs")
        .replace("\n# serve", "\nserve")
        .replace("\n# address", "\naddress")
        .replace("\n# tls = \"implicit\"", "\ntls = \"implicit\"")
        .replace("\n# trusted_proxies", "\ntrusted_proxies")
        .replace("\n# imap", "\nimap");
    let config = parse(&text).unwrap();
    assert_eq!(config.delivery.routes.len(), 1);
    let least = "[web]\nbase_url = \"https://mail.example.org\"\n[[web.listen]]\naddress = \"[::]:443\"\ntls = \"implicit\"\n";
    let least = parse(&format!("{REQUIRED}{least}")).unwrap().web.unwrap();
    assert_eq!(least.organisation, "mail.example.org");
    let (organisation, help) = ("Example Org".to_owned(), Some("mailto:help@example.org".to_owned()));
    let web = config.web.unwrap();
    let clients = web.clients.clone().unwrap();
    assert_eq!((clients.domains.as_slice(), clients.incoming.port), (&["example.org".to_owned()][..], 993));
    assert_eq!(web, Web { organisation, help, clients: Some(clients), ..least });
    let http = config.auth.http.unwrap();
    assert_eq!((http.timeout, http.concurrency), (Duration::from_secs(5), 32));
    assert_eq!(config.auth.relay.unwrap().networks.len(), 1);
    let [signed, asked] = config.oauth.as_slice() else { panic!("{:?}", config.oauth) };
    assert!(matches!(asked.proof, OAuthProof::Introspection { .. }));
    // What is written there are the defaults.
    let least = "[[oauth.provider]]\nname = \"keycloak\"\nissuer = \"https://login.example.org/realms/staff\"\n\
        audience = [\"mail\"]\n";
    let least = parse(&format!("{REQUIRED}{least}")).unwrap().oauth.remove(0);
    let OAuthProof::Signature { algorithms, types, .. } = &signed.proof else { panic!("{signed:?}") };
    let (algorithms, types) = (algorithms.clone(), types.clone());
    let proof = OAuthProof::Signature { algorithms, types, jwks_uri: None };
    let scope = Vec::new();
    assert_eq!(least, OAuthProvider { proof, scope, tls_ca: None, ..signed.clone() });
}

#[test]
fn every_mechanism_that_the_reference_names_can_be_configured() {
    let (_, from) = REFERENCE.split_once("\nmechanisms = [").unwrap();
    let (text, _) = from.split_once("\nbackends").unwrap();
    let names: Vec<&str> = text.split('"').skip(1).step_by(2).collect();
    assert_eq!(names.len(), 8);
    let auth = parse(&format!("{REQUIRED}[auth]\nmechanisms = {names:?}")).unwrap().auth;
    let lower = format!("{REQUIRED}[auth]\nmechanisms = {names:?}").replace("SCRAM-SHA", "scram-sha");
    assert_eq!((auth.mechanisms.len(), parse(&lower).unwrap().auth), (8, auth));
}

/// A key that does not exist makes the code list those that do.
fn keys_of(section: &str) -> Vec<String> {
    let error = parse(&format!("{section}\nnonsense = 1\n")).unwrap_err();
    let (_, keys) = error.split_once("the keys here are ").unwrap();
    keys.replace(" or ", ", ").split(", ").map(|key| key.trim_matches('`').to_owned()).collect()
}

#[test]
fn the_reference_has_every_key() {
    for section in [
        "",
        "[storage]",
        "[tls]",
        "[[listen]]",
        "[auth]",
        "[auth.argon2]",
        "[auth.throttle]",
        "[auth.throttle.network]",
        "[auth.http]",
        "[oauth]",
        "[[oauth.provider]]",
        "[limits]",
        "[submission]",
        "[sending]",
        "[delivery]",
        "[[delivery.route]]",
        "[delivery.retry]",
        "[delivery.bounce]",
        "[delivery.mx]",
        "[dkim]",
        "[dns]",
        "[tls_rpt]",
        "[audit]",
        "[ledger]",
        "[health]",
        "[log]",
        "[web]",
        "[[web.listen]]",
    ] {
        for key in keys_of(section) {
            let written = [format!("{key} ="), format!("[{key}]"), format!("{key}]"), format!("[{key}.")];
            assert!(written.iter().any(|key| REFERENCE.contains(key)), "{section} {key} is missing");
        }
    }
}

#[test]
fn a_listener_has_mechanisms_of_its_own_or_those_of_all() {
    let listen =
        |port, more: &str| format!("[[listen]]\naddress = \"[::]:{port}\"\ntls = \"implicit\"\n{more}");
    let (own, common) = (listen(1465, "mechanisms = [\"CRAM-MD5\"]\n"), listen(465, ""));
    let config = parse(&format!("{REQUIRED}{own}{common}")).unwrap();
    let offered: Vec<_> = config.listen.iter().map(|listen| config.mechanisms(listen).to_vec()).collect();
    assert_eq!(offered, [vec![Mechanism::CramMd5], vec![Mechanism::Plain, Mechanism::Login]]);
    assert!(config.offers(Mechanism::CramMd5) && config.offers(Mechanism::Plain) && !config.offers_scram());
    let scram = own.replace("CRAM-MD5", "SCRAM-SHA-256-PLUS");
    assert!(parse(&format!("{REQUIRED}{scram}{common}")).unwrap().offers_scram());
    let scram = format!("{REQUIRED}[auth]\nmechanisms = [\"SCRAM-SHA-256\"]\n{own}");
    assert!(!parse(&scram).unwrap().offers_scram(), "no listener offers those of [auth]");
}

#[test]
fn what_a_route_leaves_out_is_as_in_delivery_but_for_the_login() {
    let route = |more: &str| {
        let delivery = "[delivery]\nvia = \"smtp://a.test:25\"\nusername = \"u\"\npassword_file = \"p\"\n\
            tls_ca = \"ca.pem\"\nconnections = 7\nretry = { first = \"1m\", max = \"2h\" }\n\
            [[delivery.route]]\nsenders = [\"*@b.test\"]\nvia = \"smtp://b.test:25\"\n";
        parse(&format!("{REQUIRED}{delivery}{more}")).unwrap().delivery
    };
    let Delivery { way, routes, .. } = route("");
    let like_all = Way { via: routes[0].way.via.clone(), login: None, ..way.clone() };
    assert_eq!((&routes[0].way, way.connections, way.login.is_some()), (&like_all, 7, true));
    let of_its_own = route(
        "tls = \"opportunistic\"\ntls_ca = \"b.pem\"\nconnections = 1\nretry = { max = \"3h\", give_up = \"1d\" }",
    );
    let Way { tls, tls_ca, connections, retry, .. } = &of_its_own.routes[0].way;
    assert_eq!((*tls, *connections), (HostTls::Opportunistic, 1));
    assert_eq!(tls_ca.as_deref(), Some(Path::new("/etc/gatepost/b.pem")));
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let expected = Retry { first: Duration::from_secs(60), max: hours(3), give_up: hours(24) };
    assert_eq!((*retry, of_its_own.way), (expected, way));
}

#[test]
fn relative_paths_start_at_the_file() {
    let text = REQUIRED.replace("/etc/gatepost/master.key", "master.key");
    let config = parse(&format!("{text}[delivery]\nvia = \"maildir:out\"\n")).unwrap();
    assert_eq!(config.storage.master_key_file, Path::new("/etc/gatepost/master.key"));
    assert_eq!(config.delivery.way.via, config::Via::Maildir("/etc/gatepost/out".into()));
}

#[test]
fn backends_come_in_any_order() {
    use config::Backend::{Accounts, Http};
    let section = "[auth.http]\nurl = \"http://127.0.0.1:8080/login\"\nsecret_file = \"s\"\n";
    for (written, backends) in
        [("\"accounts\", \"http\"", vec![Accounts, Http]), ("\"http\", \"accounts\"", vec![Http, Accounts])]
    {
        let text = format!("{REQUIRED}[auth]\nbackends = [{written}]\n{section}");
        assert_eq!(parse(&text).unwrap().auth.backends, backends);
    }
}

#[test]
fn in_clear_a_program_is_asked_on_this_machine_alone() {
    let with = |host: &str| {
        parse(&format!("{REQUIRED}[auth.http]\nurl = \"http://{host}/\"\nsecret_file = \"s\"\n")).map(drop)
    };
    for here in ["127.0.0.1:8080", "127.9.9.9", "[::1]:8080", "localhost"] {
        with(here).unwrap();
    }
    for away in
        ["192.0.2.1", "[::2]", "localhost.example", "127.0.0.1.example", "0.0.0.0", "2130706434.example"]
    {
        assert!(with(away).unwrap_err().contains("write https://"), "{away}");
    }
}

#[test]
fn a_login_goes_in_clear_to_a_loopback_address_alone() {
    let login = "via = \"smtp://HOST:2525\"\ntls = \"off\"\nusername = \"u\"\npassword_file = \"p\"";
    let text = format!("{REQUIRED}[delivery]\n{login}\n");
    for (host, taken) in [
        ("127.0.0.1", true),
        ("127.9.9.9", true),
        ("[::1]", true),
        ("[::ffff:127.0.0.1]", true),
        ("128.0.0.1", false),
        ("[::2]", false),
        ("0.0.0.0", false),
        ("localhost", false),
    ] {
        assert_eq!(parse(&text.replace("HOST", host)).is_ok(), taken, "{host}");
    }
}

#[test]
fn pages_are_served_in_clear_on_this_machine_or_behind_proxies_alone() {
    let web = |address: &str, more: &str| {
        let listen = format!("[[web.listen]]\naddress = \"{address}\"\ntls = \"off\"\n{more}");
        parse(&format!("{REQUIRED}[web]\nbase_url = \"https://mail.example.org\"\n{listen}"))
    };
    for (address, taken) in [
        ("127.0.0.1:80", true),
        ("[::1]:80", true),
        ("[::ffff:127.0.0.1]:80", true),
        ("[::]:80", false),
        ("192.0.2.1:80", false),
    ] {
        assert_eq!(web(address, "").is_ok(), taken, "{address}");
        assert!(web(address, "trusted_proxies = [\"192.0.2.7\"]").is_ok(), "{address}");
    }
    assert_eq!(parse(REQUIRED).unwrap().web, None);
}
