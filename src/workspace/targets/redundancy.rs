//! Whether the copies meet the 3-2-1 rule: 3 copies, on 2 media, 1 of them elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::error::Result;
use crate::fs;
use crate::remote::Address;
use crate::workspace::Workspace;

use super::{Copy, TargetSettings};

/// How the copies compare with the 3-2-1 rule. The directory and its repository count as one copy, and each target with the whole
/// history as another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redundancy {
    /// Number of copies.
    pub copies: u64,
    /// Number of file systems of this machine, and of other hosts, that have them.
    pub media: u64,
    /// Number of copies on other hosts.
    pub elsewhere: u64,
    /// Why targets do not count, by name.
    pub uncounted: BTreeMap<String, &'static str>,
}

/// What can fail as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Medium {
    /// A file system of this machine.
    FileSystem(u64),
    Host(String),
    /// A server on this machine, whose file system is not known.
    Unknown,
}

impl Redundancy {
    /// Whether the rule is met.
    pub fn is_sufficient(&self) -> bool {
        self.copies >= 3 && self.media >= 2 && self.elsewhere >= 1
    }
}

impl Workspace {
    /// Compares these copies with the 3-2-1 rule. Asks no server.
    pub fn redundancy(&self, copies: &[Copy]) -> Result<Redundancy> {
        let own = fs::stat(&self.repository.layout.packs())?.map(|stat| Medium::FileSystem(stat.device));
        let mut media: BTreeSet<Medium> = own.into_iter().collect();
        let mut redundancy = Redundancy { copies: 1, ..Redundancy::default() };
        let mut places = BTreeSet::new();
        for copy in copies {
            match self.medium(copy, &mut places)? {
                Ok(medium) => {
                    redundancy.copies += 1;
                    redundancy.elsewhere += u64::from(matches!(medium, Medium::Host(_)));
                    media.insert(medium);
                }
                Err(reason) => drop(redundancy.uncounted.insert(copy.name.clone(), reason)),
            }
        }
        media.remove(&Medium::Unknown);
        redundancy.media = media.len() as u64;
        Ok(redundancy)
    }

    /// The medium of a copy, or why the copy does not count. Adds the place of the copy to those before it.
    fn medium(
        &self,
        copy: &Copy,
        places: &mut BTreeSet<(String, Option<String>)>,
    ) -> Result<Result<Medium, &'static str>> {
        if copy.pushed.is_none() {
            return Ok(Err("has no complete copy yet"));
        }
        if !copy.is_complete() {
            return Ok(Err("is behind"));
        }
        let TargetSettings { url, endpoint, region, .. } = self.target_settings(Some(&copy.name))?;
        if !places.insert((url.clone(), endpoint.clone())) {
            return Ok(Err("is the same place as another target"));
        }
        Ok(match Address::parse(url, endpoint.as_deref(), region.as_deref(), &self.directory)? {
            // A folder in it: if a disk is not mounted, an empty folder may be in its place.
            Address::Directory(path) => match fs::stat(&path.join("log"))? {
                Some(stat) => Ok(Medium::FileSystem(stat.device)),
                None => Err("is not connected"),
            },
            Address::Sftp(address) => Ok(of_host(&address.host)),
            Address::S3(address) => Ok(of_host(address.host())),
        })
    }
}

fn of_host(host: &str) -> Medium {
    let is_loopback = host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    let is_here = host == "localhost" || host.ends_with(".localhost") || host == fs::host_name();
    if is_loopback || is_here { Medium::Unknown } else { Medium::Host(host.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_on_this_machine_are_no_other_hosts() {
        for host in ["localhost", "storage.localhost", "127.0.0.1", "127.8.0.1", "::1", &fs::host_name()] {
            assert_eq!(of_host(host), Medium::Unknown, "{host}");
        }
        for host in ["nas", "10.0.0.7", "localhost.example.com"] {
            assert_eq!(of_host(host), Medium::Host(host.to_owned()));
        }
    }
}
