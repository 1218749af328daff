//! Attacks on passwords, from many addresses at a time, while those who have the right one work on.

use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::client::{Client, Reply};
use tests::server::{Installation, Server, Settings, until};

use crate::letter::letter;

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";
const REFUSED: &str = "535 5.7.8 Authentication credentials invalid";
const UNAVAILABLE: &str = "454 4.7.0 Authentication is temporarily unavailable";

fn installed(auth: &str) -> Installation {
    let installation = Installation::new(&Settings {
        auth: auth.to_owned(),
        sending: "messages_per_hour = false\nmessages_per_day = false".to_owned(),
        ..Settings::default()
    });
    installation.add_user(USER, PASSWORD);
    installation
}

/// A connection from this address, past EHLO.
fn at_the_door(installation: &Installation, server: &Server, source: Ipv4Addr) -> Client {
    let mut client = server.client_from(source, installation);
    client.expect("EHLO client.example", 250);
    client
}

fn knock(installation: &Installation, server: &Server, source: Ipv4Addr, user: &str, secret: &str) -> Reply {
    at_the_door(installation, server, source).auth_plain(user, secret).unwrap()
}

/// Sets it when it goes, also by a panic: whoever waits for it is not left behind.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

mod flood {
    //! Many wrong passwords at once.

    use super::*;

    /// Connections of one wave, by threads that each have so many.
    const THREADS: u16 = 10;
    const EACH: u16 = 50;
    const WAVES: u16 = 2;

    /// What the peak may lie above the calm before, in KiB: an arena of 19 MiB for each place of the pool, 24 KiB for each
    /// connection, and what the allocator keeps.
    fn growth() -> u64 {
        let places = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        places * 19 * 1024 + u64::from(THREADS * EACH) * 24 + 16 * 1024
    }

    #[test]
    fn five_hundred_at_once_leave_memory_bounded_and_a_bystander_quick() {
        let installation = installed("");
        let (_, password) = installation.app_password(USER, &[]);
        let server = installation.start();
        let bystander = Bystander { installation: &installation, server: &server, password: &password };
        // Everything that is set up once is set up.
        bystander.until(&AtomicBool::new(true), || bystander.comes_and_goes());
        let before = server.resident();

        let done = AtomicBool::new(false);
        let (answers, coming, staying) = std::thread::scope(|scope| {
            let coming = scope.spawn(|| bystander.until(&done, || bystander.comes_and_goes()));
            let staying = scope.spawn(|| bystander.stays(&done));
            let end = Ends(&done);
            let answers = attacked(&installation, &server);
            drop(end);
            (answers, coming.join().unwrap(), staying.join().unwrap())
        });
        let refused = answers.iter().filter(|answer| *answer == REFUSED).count();
        let put_off = answers.iter().filter(|answer| *answer == UNAVAILABLE).count();
        assert_eq!(refused + put_off, answers.len(), "{answers:?}");
        assert!(refused > 0 && put_off > 0, "{refused} refused, {put_off} put off");
        for (times, what) in [(coming, "a session"), (staying, "a message of a long one")] {
            let slow = p99(times);
            assert!(slow < Duration::from_secs(1), "p99 of {what}: {slow:?}");
        }
        let (peak, limit) = (server.peak(), before + growth());
        assert!(peak < limit, "resident: {before} KiB before, {peak} KiB at most; limit {limit}");
        all_is_as_before(&installation, &server);
    }

    /// The answer to each guess: waves of connections that all say AUTH as soon as all are there.
    fn attacked(installation: &Installation, server: &Server) -> Vec<String> {
        let ready = AtomicU16::new(0);
        std::thread::scope(|scope| {
            let thread = |thread| {
                let ready = &ready;
                scope.spawn(move || {
                    let wave = |wave| guesses(installation, server, wave, thread, ready);
                    (0..WAVES).flat_map(wave).collect::<Vec<String>>()
                })
            };
            let threads: Vec<_> = (0..THREADS).map(thread).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        })
    }

    /// Each of another account, with another password, half of which look like app passwords. Five come from an address: none
    /// meets a throttle.
    fn guesses(
        installation: &Installation,
        server: &Server,
        wave: u16,
        thread: u16,
        ready: &AtomicU16,
    ) -> Vec<String> {
        let first = (wave * THREADS + thread) * EACH;
        let numbers = || first..first + EACH;
        let source = |number: u16| Ipv4Addr::from_bits(0x7f01_0000 + u32::from(number / 5));
        let mut clients: Vec<Client> =
            numbers().map(|number| at_the_door(installation, server, source(number))).collect();
        ready.fetch_add(1, Ordering::Relaxed);
        until("all are connected", || (ready.load(Ordering::Relaxed) >= (wave + 1) * THREADS).then_some(()));
        for (client, number) in clients.iter_mut().zip(numbers()) {
            client.say_auth_plain(&format!("user{number}@example.org"), &secret(number)).unwrap();
        }
        clients.iter_mut().map(|client| client.reply().unwrap().lines.join("\r\n")).collect()
    }

    fn secret(number: u16) -> String {
        let digits = format!("{number:04}");
        let letters: String = digits.bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
        if number.is_multiple_of(2) { digits } else { format!("abcdefghijkl{letters}") }
    }

    fn p99(mut times: Vec<Duration>) -> Duration {
        times.sort_unstable();
        assert!(times.len() >= 100, "only {} messages", times.len());
        times[times.len() * 99 / 100]
    }

    /// At once, without a queue to wait for: the account password, and a wrong one is judged.
    fn all_is_as_before(installation: &Installation, server: &Server) {
        let begun = Instant::now();
        let home = Ipv4Addr::LOCALHOST;
        assert_eq!(knock(installation, server, home, USER, PASSWORD).code, 235);
        assert_eq!(knock(installation, server, home, USER, "wrong").lines, [REFUSED]);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }

    /// Who sends with an app password and has nothing to do with it all.
    struct Bystander<'a> {
        installation: &'a Installation,
        server: &'a Server,
        password: &'a str,
    }

    impl Bystander<'_> {
        fn until(&self, done: &AtomicBool, act: impl FnMut() -> Duration) -> Vec<Duration> {
            std::iter::repeat_with(act)
                .enumerate()
                .take_while(|(number, _)| *number < 100 || !done.load(Ordering::Relaxed))
                .map(|(_, time)| time)
                .collect()
        }

        /// A session with one message.
        fn comes_and_goes(&self) -> Duration {
            let begun = Instant::now();
            let mut client = self.server.logged_in(self.installation, USER, self.password);
            assert_eq!(sent(&mut client), 250);
            client.expect("QUIT", 221);
            begun.elapsed()
        }

        /// Messages of one session, as long as it may last.
        fn stays(&self, done: &AtomicBool) -> Vec<Duration> {
            let mut client = self.server.logged_in(self.installation, USER, self.password);
            self.until(done, || {
                let begun = Instant::now();
                match sent(&mut client) {
                    250 => {}
                    421 => client = self.server.logged_in(self.installation, USER, self.password),
                    code => panic!("a message of a bystander: {code}"),
                }
                begun.elapsed()
            })
        }
    }

    fn sent(client: &mut Client) -> u16 {
        client.send(USER, &["bob@example.net"], &letter("small", "short\r\n")).unwrap().code
    }
}

mod lock_out {
    //! Many addresses against one account.

    use super::*;

    const HOME: Ipv4Addr = Ipv4Addr::LOCALHOST;
    const ABROAD: Ipv4Addr = Ipv4Addr::new(127, 9, 9, 9);
    const NEVER_SEEN: Ipv4Addr = Ipv4Addr::new(127, 8, 8, 8);

    const ADDRESSES: u32 = 200;
    const THREADS: u32 = 10;

    /// One window for the whole test, however slow the machine.
    const WINDOW: &str = "[auth.throttle]\npassword = { failures = 5, window = \"20m\" }";

    /// A name is one, however it is written.
    const NAMES: [&str; 4] = [USER, "ALICE@example.org", "Alice@Example.Org", "\"alice\"@example.org"];

    struct Stage {
        installation: Installation,
        app_password: String,
    }

    /// How often the attackers were told what.
    #[derive(Default)]
    struct Told {
        refused: usize,
        throttled: usize,
    }

    #[test]
    fn two_hundred_addresses_get_five_guesses_and_the_owner_works_on() {
        let stage = Stage::set();
        let server = stage.installation.start();
        stage.make_home_familiar(&server);
        let first = stage.attacked(&server, 0);
        assert_eq!(first.refused, 5, "and {} throttled", first.throttled);
        assert!(server.terminate().success());
        let server = stage.installation.start();
        let second = stage.attacked(&server, 1);
        assert_eq!(second.refused, 0, "after a restart; and {} throttled", second.throttled);
        stage.is_told_and_cleared(&server);
    }

    impl Stage {
        fn set() -> Stage {
            let installation = installed(WINDOW);
            let (_, app_password) = installation.app_password(USER, &[]);
            Stage { installation, app_password }
        }

        fn at_the_door(&self, server: &Server, source: Ipv4Addr) -> Client {
            at_the_door(&self.installation, server, source)
        }

        fn knock(&self, server: &Server, source: Ipv4Addr, secret: &str) -> Reply {
            knock(&self.installation, server, source, USER, secret)
        }

        /// Where the owner has logged in from is written down together with the event, a moment later.
        fn make_home_familiar(&self, server: &Server) {
            assert_eq!(self.knock(server, HOME, PASSWORD).code, 235);
            until("the login is written down", || {
                let logins = self.installation.json(&["audit", "list", "--user", USER, "--action", "login"]);
                logins.as_array().is_some_and(|logins| !logins.is_empty()).then_some(())
            });
        }

        /// Wrong passwords all the time, from each of the addresses, while the owner logs in and sends.
        fn attacked(&self, server: &Server, round: u32) -> Told {
            let (done, told) = (AtomicBool::new(false), Mutex::default());
            let begun = AtomicU16::new(0);
            std::thread::scope(|scope| {
                for thread in 0..THREADS {
                    let (done, told, begun) = (&done, &told, &begun);
                    scope.spawn(move || self.guess(server, round * THREADS + thread, told, done, begun));
                }
                let _end = Ends(&done);
                until_all_are_there(&begun);
                (0..5).for_each(|_| self.owner_works(server));
            });
            told.into_inner().unwrap()
        }

        /// The guesses of one thread: one from each of its addresses at the same time as all others, then one after the other.
        fn guess(
            &self,
            server: &Server,
            thread: u32,
            told: &Mutex<Told>,
            done: &AtomicBool,
            begun: &AtomicU16,
        ) {
            let mut all: Vec<Client> = sources(thread).map(|from| self.at_the_door(server, from)).collect();
            begun.fetch_add(1, Ordering::Relaxed);
            until_all_are_there(begun);
            for (number, client) in all.iter_mut().enumerate() {
                client.say_auth_plain(name(number), &format!("guess {thread} {number}")).unwrap();
            }
            all.iter_mut().for_each(|client| told.lock().unwrap().add(&client.reply().unwrap()));
            for (number, source) in sources(thread).cycle().enumerate() {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let mut client = self.at_the_door(server, source);
                let reply = client.auth_plain(name(number), &format!("another {thread} {number}")).unwrap();
                told.lock().unwrap().add(&reply);
            }
        }

        fn owner_works(&self, server: &Server) {
            assert_eq!(self.knock(server, HOME, PASSWORD).code, 235);
            for source in [HOME, ABROAD] {
                let mut client = self.at_the_door(server, source);
                assert_eq!(client.auth_plain(USER, &self.app_password).unwrap().code, 235);
                let reply =
                    client.send(USER, &["bob@example.net"], &letter("meanwhile", "short\r\n")).unwrap();
                assert_eq!(reply.code, 250, "{reply:?}");
            }
        }

        /// The operator sees it, and lets the owner in from anywhere.
        fn is_told_and_cleared(&self, server: &Server) {
            let reply = self.knock(server, NEVER_SEEN, PASSWORD);
            assert!(is_throttled(&reply), "{reply:?}");
            let listed = self.installation.json(&["throttle", "list"]);
            let [one] = &listed.as_array().unwrap()[..] else { panic!("{listed}") };
            assert_eq!((&one["kind"], &one["failures"]), (&json!("password"), &json!(5)), "{one}");
            assert!(one["key"].as_str().is_some_and(|key| key.contains(USER)), "{one}");
            self.installation.done(&["throttle", "clear", USER]);
            assert_eq!(self.installation.json(&["throttle", "list"]), Value::Array(Vec::new()));
            assert_eq!(self.knock(server, NEVER_SEEN, PASSWORD).code, 235);
        }
    }

    /// The addresses of one thread.
    fn sources(thread: u32) -> impl Iterator<Item = Ipv4Addr> + Clone {
        let each = ADDRESSES / THREADS;
        (thread * each..(thread + 1) * each).map(|number| Ipv4Addr::from_bits(0x7f02_0000 + number))
    }

    fn name(number: usize) -> &'static str {
        NAMES[number % NAMES.len()]
    }

    fn until_all_are_there(begun: &AtomicU16) {
        until("all are connected", || (u32::from(begun.load(Ordering::Relaxed)) == THREADS).then_some(()));
    }

    impl Told {
        fn add(&mut self, reply: &Reply) {
            if reply.lines == [REFUSED] {
                self.refused += 1;
            } else {
                assert!(is_throttled(reply), "{reply:?}");
                self.throttled += 1;
            }
        }
    }
}

/// Whether the reply says how long to wait, and that is less than the longest window here.
fn is_throttled(reply: &Reply) -> bool {
    let [line] = &reply.lines[..] else { return false };
    let seconds = line.strip_prefix("454 4.7.0 Too many failed logins; try again in ");
    let seconds = seconds.and_then(|rest| rest.strip_suffix(" seconds"));
    seconds.and_then(|seconds| seconds.parse().ok()).is_some_and(|seconds| (1..=1200).contains(&seconds))
}

mod spraying {
    //! One password, many accounts.

    use super::*;

    const ATTACKER: &str = "mallory@example.org";
    const SOURCE: Ipv4Addr = Ipv4Addr::new(127, 3, 3, 3);

    #[test]
    fn one_address_is_stopped_at_twenty_accounts_whatever_it_logs_in_to_in_between() {
        let installation = installed("");
        installation.add_user(ATTACKER, PASSWORD);
        let (_, app_password) = installation.app_password(ATTACKER, &[]);
        let server = installation.start();
        let from_there = |user: &str, secret: &str| knock(&installation, &server, SOURCE, user, secret);
        let mut refused = 0;
        for number in 0..60 {
            let reply = from_there(&format!("user{number}@example.org"), "Winter2026!");
            match number {
                ..20 => assert_eq!(reply.lines, [REFUSED], "account {number}"),
                20.. => assert!(is_throttled(&reply), "account {number}: {reply:?}"),
            }
            refused += usize::from(reply.code == 535);
            if number % 4 == 0 {
                assert_eq!(from_there(ATTACKER, &app_password).code, 235);
                // Where an account is familiar, the failures of others don't stop it.
                assert_eq!(from_there(ATTACKER, PASSWORD).code, 235);
            }
        }
        assert_eq!(refused, 20);
        let listed = installation.json(&["throttle", "list"]);
        assert_eq!((&listed[0]["kind"], &listed[0]["failures"]), (&json!("network"), &json!(20)), "{listed}");
        // Nobody else minds.
        assert_eq!(knock(&installation, &server, Ipv4Addr::LOCALHOST, USER, PASSWORD).code, 235);
        installation.done(&["throttle", "clear", &SOURCE.to_string()]);
        assert_eq!(from_there("user60@example.org", "Winter2026!").lines, [REFUSED]);
    }
}
