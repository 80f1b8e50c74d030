//! The log of a target: entries in order, each written once. It is the only commit point.
//!
//! An entry counts if it is authentic, names the last valid entry before it, and is sealed with the keys in force: the first ones,
//! or those that an earlier entry has announced. Any other entry is void, and the next one names the entry before it.

use super::entry::{Change, Entry, Link, Writer};
use super::file::{self, FileName, LOG, log_key, log_number, name_in, padded_length};
use super::state::{State, ambiguous_pack};
use crate::error::{Error, ErrorKind, Result};
use crate::parallel;
use crate::remote::{Created, Remote};
use crate::seal::{self, Keyring, Purpose};

/// Entries with a multiple of this number repeat those before them.
const REPEATED: u64 = 4;

/// Number of new entries for which the newest fold is read instead.
const MANY: usize = 64;

/// Number of entries in memory.
const TOGETHER: usize = 256;

/// Number of entries that are read at the same time. The remote may permit fewer.
const CONNECTIONS: usize = 8;

/// Number of files that are read beyond a gap in the log. Anyone who can write to the storage can add such files.
const BEYOND_GAP: usize = 16;

/// Number of repeating entries, and of folds, that are tried before each entry is read.
const TRIES: usize = 8;

/// Hint for a log that does not continue what this machine has seen.
pub const OLDER: &str = "an older state of the target may have been restored; do not push until you know why";

/// Hint for an entry that no machine can write again.
const NEW_TARGET: &str = "nothing replaces a damaged entry: copy its file back from a backup of the storage, or push to a new target: undo target add NAME URL";

/// The log of the target whose file `target` has this hash.
pub struct Log<'t> {
    pub remote: &'t Remote,
    pub keyring: &'t Keyring,
    pub target: FileName,
}

impl Log<'_> {
    /// Applies all entries after the last one of a state.
    ///
    /// [`ErrorKind::Damaged`] if the log is not a continuation of the state: entries are missing, or the target was replaced by an
    /// older or another one.
    pub fn read(&self, state: &mut State) -> Result<()> {
        let known = state.last;
        let mut new = self.new_numbers(state)?;
        if new.len() > MANY
            && let Some(fold) = self.newest_fold()?.filter(|fold| fold.number() > state.number())
        {
            known.map_or(Ok(()), |known| self.check_has(&fold, known))?;
            *state = fold;
            self.check_keys(state)?;
        }
        new.retain(|number| *number > state.tail);
        let repeating = new.iter().copied().rev().filter(|number| repeats_recent(*number) && *number > state.tail + 1);
        for number in repeating.take(TRIES).collect::<Vec<_>>() {
            if let Some((link, generation, entry)) = self.entry(number)? {
                apply_recent(state, link, generation, entry);
                self.check_keys(state)?;
                new.retain(|number| *number > state.tail);
                break;
            }
        }
        self.read_each(&new, state)?;
        // The next entry names the last known one. As long as there is none, an entry with the same number may have replaced it.
        match known {
            Some(last) if state.last == known => self.check_file(last),
            _ => Ok(()),
        }
    }

    /// Fails unless an entry is the one with its number in the log from which a state was read.
    pub fn check_has(&self, state: &State, link: Link) -> Result<()> {
        let counting = state.recent.iter().map(|recent| recent.link).chain(state.last);
        match counting.into_iter().find(|counting| counting.number == link.number) {
            Some(counting) if counting == link => Ok(()),
            None if link.number <= state.absorbed => self.check_file(link),
            _ => Err(replaced(link.number)),
        }
    }

    /// Fails unless the file of an entry has these bytes.
    fn check_file(&self, link: Link) -> Result<()> {
        let mut bytes = None;
        // An answer may have been damaged on its way.
        for _ in 0..2 {
            bytes = self.bytes(link.number)?;
            if bytes.as_ref().is_some_and(|bytes| FileName::of(bytes) == link.hash) {
                return Ok(());
            }
        }
        let is_void = bytes.is_some_and(|bytes| is_damaged(&self.open(link.number, &bytes)));
        Err(if is_void { unreadable(link.number) } else { replaced(link.number) })
    }

    /// The state after the last entry, from reading all entries one by one: independent of what writers repeat and fold.
    pub fn read_all(&self) -> Result<State> {
        let mut state = State::default();
        let numbers = self.new_numbers(&state)?;
        self.read_each(&numbers, &mut state)?;
        Ok(state)
    }

    /// Numbers of the entries after the last one of a state, void ones included.
    fn new_numbers(&self, state: &State) -> Result<Vec<u64>> {
        let known = state.number();
        // The last known entry is listed again: if it is gone, the target is older than the state.
        let after = known.checked_sub(1).filter(|before| *before > 0).map(log_key);
        let mut numbers = self.list_after(after.as_deref())?;
        // While entries are created, a listing of some storage may lack one of them and have a later one.
        if count_before_gap(&numbers, state.tail) < numbers.iter().filter(|number| **number > state.tail).count() {
            numbers = self.list_after(after.as_deref())?;
        }
        if known > 0 && !numbers.contains(&known) {
            return Err(replaced(known));
        }
        numbers.retain(|number| *number > state.tail);
        numbers.truncate(count_before_gap(&numbers, state.tail) + BEYOND_GAP);
        Ok(numbers)
    }

    fn list_after(&self, after: Option<&str>) -> Result<Vec<u64>> {
        let listed = self.remote.list(LOG, after)?;
        Ok(listed.iter().filter_map(|file| log_number(name_in(LOG, &file.name)?)).collect())
    }

    /// [`ErrorKind::WrongKey`] if an entry has announced keys that the keyring lacks.
    fn check_keys(&self, state: &State) -> Result<()> {
        if state.generation <= self.keyring.generation() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::WrongKey, "the keys of this target have been replaced")
            .hint("to enter the new password: undo target show NAME"))
    }

    fn read_each(&self, numbers: &[u64], state: &mut State) -> Result<()> {
        for part in numbers.chunks(TOGETHER) {
            let read = |(): &mut (), number| self.entry(number);
            let entries = parallel::try_map_on(CONNECTIONS, part.iter().copied(), || (), read)?;
            for (number, entry) in part.iter().zip(entries) {
                match entry {
                    Some((link, generation, entry)) => {
                        state.tail = *number;
                        self.apply(state, link, generation, entry)?;
                    }
                    None if *number == 1 => {
                        return Err(not_authentic(1));
                    }
                    None if *number == state.tail + 1 => state.tail = *number,
                    // A file beyond a gap, with which anyone could otherwise use up all numbers.
                    None => {}
                }
            }
        }
        Ok(())
    }

    fn apply(&self, state: &mut State, link: Link, generation: u32, entry: Entry) -> Result<()> {
        let (previous, last) = (entry.previous, state.last);
        // Someone whose keys were replaced may still be able to write to the storage.
        if last.is_some() && generation < state.generation {
            return Ok(());
        }
        // Without the entry that announced its keys, the entry is not the next one.
        if previous == last && is_sealed_right(state, generation) {
            if state.has_ambiguous_pack(&entry.change) {
                return Err(ambiguous_pack().context(format_args!("entry {} of the log", link.number)));
            }
            state.apply(link, generation, entry);
            return self.check_keys(state);
        }
        match (previous, last) {
            // A writer that has not seen a valid entry: its own entry is void.
            (previous, Some(last)) if self.is_before(previous, last)? => Ok(()),
            (Some(previous), Some(last)) if previous.number <= last.number => Err(replaced(previous.number)),
            (previous, _) => {
                let number = previous.map_or(0, |previous| previous.number);
                Err(not_authentic(number))
            }
        }
    }

    /// Whether a link is one of those before the last one. If not, this machine counts other entries than the writer that has set
    /// it: both must stop.
    pub fn is_before(&self, previous: Option<Link>, last: Link) -> Result<bool> {
        let Some(previous) = previous else { return Ok(true) };
        let mut before = Some(last);
        while let Some(link) = before.filter(|link| link.number > previous.number) {
            before = self.entry(link.number)?.and_then(|(_, _, entry)| entry.previous);
        }
        Ok(before == Some(previous) && previous != last)
    }

    /// An authentic entry, and the generation of its keys; `None` if the entry is not authentic.
    fn entry(&self, number: u64) -> Result<Option<(Link, u32, Entry)>> {
        let missing = || Error::damaged(format!("entry {number} of the log is missing")).hint(NEW_TARGET);
        let get = || self.bytes(number)?.ok_or_else(missing);
        let mut bytes = get()?;
        let mut opened = self.open(number, &bytes);
        if is_damaged(&opened) {
            // An answer may have been damaged on its way; an entry that others can read must not be void.
            bytes = get()?;
            opened = self.open(number, &bytes);
        }
        match opened {
            opened if is_damaged(&opened) => Ok(None),
            entry => {
                let entry =
                    entry.map_err(|error| error.context(format_args!("file `{}` of the target", log_key(number))))?;
                Ok(Some((Link { number, hash: FileName::of(&bytes) }, seal::generation_of(&bytes), entry)))
            }
        }
    }

    /// The bytes of the file of an entry, which are none if it is larger than any entry. `None` if it is missing.
    fn bytes(&self, number: u64) -> Result<Option<Vec<u8>>> {
        match self.remote.get(&log_key(number)) {
            Err(error) if error.kind() == ErrorKind::Damaged => Ok(Some(Vec::new())),
            bytes => bytes,
        }
    }

    fn open(&self, number: u64, sealed: &[u8]) -> Result<Entry> {
        Entry::decode(&self.keyring.open(Purpose::Log, &self.place(number), sealed)?)
    }

    /// Appends an entry after the last one of a state. `None` if another writer was faster; then its entry has been read.
    ///
    /// [`ErrorKind::WrongKey`] if that writer has replaced the keys.
    pub fn append(&self, state: &mut State, writer: &Writer, change: Change) -> Result<Option<Link>> {
        if state.has_ambiguous_pack(&change) {
            return Err(Error::new(ErrorKind::Internal, "two new packs have similar names")
                .hint("run the command again: packs then have other names"));
        }
        let number = state.tail + 1;
        let recent = if repeats_recent(number) { state.recent.clone() } else { Vec::new() };
        let entry = Entry { previous: state.last, writer: writer.clone(), change, recent };
        let sealed = self.seal(Purpose::Log, number, entry.encode())?;
        let link = Link { number, hash: FileName::of(&sealed) };
        match self.remote.create(&log_key(number), &sealed)? {
            Created::New => {
                state.apply(link, self.keyring.generation(), entry);
                Ok(Some(link))
            }
            Created::Exists => {
                self.read(state)?;
                Ok(None)
            }
        }
    }

    fn seal(&self, purpose: Purpose, number: u64, mut plain: Vec<u8>) -> Result<Vec<u8>> {
        plain.resize(padded_length(plain.len()), 0);
        self.keyring.seal(purpose, &self.place(number), &plain)
    }

    /// An entry opens only in the log of its target, and with its number.
    fn place(&self, number: u64) -> Vec<u8> {
        [&self.target.0[..], &number.to_le_bytes()].concat()
    }

    /// The newest fold of the target, with the state after its entry.
    pub fn newest_fold(&self) -> Result<Option<State>> {
        let mut folds: Vec<(u64, FileName)> = self
            .remote
            .list(file::FOLDS, None)?
            .iter()
            .filter_map(|listed| {
                let (number, name) = name_in(file::FOLDS, &listed.name)?.split_once('-')?;
                Some((log_number(number)?, FileName::parse(name)?))
            })
            .collect();
        folds.sort_unstable();
        for (number, name) in folds.into_iter().rev().take(TRIES) {
            // A fold that cannot be read costs only time: the entries before it say the same. One with older keys may be forged
            // by someone whose keys were replaced.
            let bytes = match self.remote.get(&file::fold_key(number, name)) {
                Err(error) if error.kind() == ErrorKind::Damaged => continue,
                bytes => bytes?,
            };
            if let Some(bytes) = bytes
                && FileName::of(&bytes) == name
                && seal::generation_of(&bytes) == self.keyring.generation()
                && let Ok(plain) = self.keyring.open(Purpose::Fold, &self.place(number), &bytes)
                && let Ok(state) = State::decode(&plain)
                && state.number() == number
            {
                return Ok(Some(state));
            }
        }
        Ok(None)
    }

    /// Writes a fold of a state.
    pub fn write_fold(&self, state: &State) -> Result<()> {
        let number = state.number();
        let sealed = self.seal(Purpose::Fold, number, state.encode())?;
        self.remote.put(&file::fold_key(number, FileName::of(&sealed)), &sealed)
    }
}

/// How many of these ascending numbers follow a number without a gap.
fn count_before_gap(numbers: &[u64], tail: u64) -> usize {
    let new = numbers.iter().filter(|number| **number > tail);
    new.zip(tail + 1..).take_while(|(number, expected)| *number == expected).count()
}

fn repeats_recent(number: u64) -> bool {
    number.is_multiple_of(REPEATED)
}

/// Applies the entries that an entry repeats, and the entry. Changes nothing if they do not continue the state.
fn apply_recent(state: &mut State, link: Link, generation: u32, entry: Entry) {
    let mut ahead = state.clone();
    for recent in entry.recent.iter().filter(|recent| recent.link.number > state.number()) {
        match Entry::decode(&recent.bytes) {
            Ok(repeated) if is_next(&ahead, &repeated, recent.generation) => {
                ahead.apply(recent.link, recent.generation, repeated);
            }
            _ => return,
        }
    }
    if is_next(&ahead, &entry, generation) {
        ahead.apply(link, generation, entry);
        *state = ahead;
    }
}

/// Whether an entry that is sealed with keys of this generation can follow a state.
fn is_next(state: &State, entry: &Entry, generation: u32) -> bool {
    entry.previous == state.last && is_sealed_right(state, generation) && !state.has_ambiguous_pack(&entry.change)
}

/// Whether keys of this generation seal the entry after a state.
fn is_sealed_right(state: &State, generation: u32) -> bool {
    state.last.is_none() || generation == state.generation
}

fn is_damaged(opened: &Result<Entry>) -> bool {
    opened.as_ref().is_err_and(|error| error.kind() == ErrorKind::Damaged)
}

fn replaced(number: u64) -> Error {
    Error::damaged(format!("entry {number} of the log differs from what this machine has seen")).hint(OLDER)
}

/// The error for a file of the log that this machine has read, and that can no longer be read.
pub(super) fn unreadable(number: u64) -> Error {
    Error::damaged(format!(
        "entry {number} of the log is damaged: this machine has read it, and cannot read its file `{}`",
        log_key(number)
    ))
    .hint(NEW_TARGET)
}

fn not_authentic(number: u64) -> Error {
    Error::damaged(format!("entry {number} of the log is missing or not authentic")).hint(NEW_TARGET)
}
