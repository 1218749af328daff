//! The real binary, seen from outside: clients that others wrote, crashes, full disks, next hosts that say no.

mod house;
mod letter;
mod demo;
mod clients;
mod commands;
mod audit;
mod credentials;
mod attacks;
mod live;
mod canaries;
mod keys;
mod ban;
mod second_factor;
mod matrix;
mod identities;
mod import;
mod tls;
mod crash;
mod shutdown;
mod disk;
mod memory;
mod pace;
mod relay;
mod printers;
mod pretenders;
mod sending;
