//! The log of a target: entries in order, each written once. It is the only commit point.
//!
//! An entry counts if it is authentic, names the last valid entry before it, and is sealed with keys that no earlier entry has
//! replaced. Any other entry is void, and the next one names the entry before it.

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

/// Hint for a log that does not continue what this machine has seen.
pub const OLDER: &str = "an older state of the target may have been restored; do not push until you know why";

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
        }
        new.retain(|number| *number > state.tail);
        let repeating = new.iter().copied().rfind(|number| repeats_recent(*number));
        if let Some(number) = repeating.filter(|number| *number > state.tail + 1)
            && let Some((link, generation, entry)) = self.entry(number)?
        {
            apply_recent(state, link, generation, entry);
            new.retain(|number| *number > state.tail);
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
        // An answer may have been damaged on its way.
        for _ in 0..2 {
            let bytes = self.remote.get(&log_key(link.number))?;
            if bytes.is_some_and(|bytes| FileName::of(&bytes) == link.hash) {
                return Ok(());
            }
        }
        Err(replaced(link.number))
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
        let listed = self.remote.list(LOG, after.as_deref())?;
        let numbers: Vec<u64> = listed.iter().filter_map(|file| log_number(name_in(LOG, &file.name)?)).collect();
        if known > 0 && !numbers.contains(&known) {
            return Err(replaced(known));
        }
        Ok(numbers.into_iter().filter(|number| *number > state.tail).collect())
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
                    None if *number == 1 => return Err(Error::damaged("the first entry of the log is not authentic")),
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
        if generation < state.generation {
            return Ok(());
        }
        if previous == last {
            if state.has_ambiguous_pack(&entry.change) {
                return Err(ambiguous_pack().context(format_args!("entry {} of the log", link.number)));
            }
            state.apply(link, generation, entry);
            return Ok(());
        }
        match (previous, last) {
            // A writer that has not seen a valid entry: its own entry is void.
            (previous, Some(last)) if self.is_before(previous, last)? => Ok(()),
            (Some(previous), Some(last)) if previous.number <= last.number => Err(replaced(previous.number)),
            (previous, _) => {
                let number = previous.map_or(0, |previous| previous.number);
                Err(Error::damaged(format!("entry {number} of the log is missing or not authentic")))
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
        let missing = || Error::damaged(format!("entry {number} of the log is missing"));
        let mut bytes = self.remote.get(&log_key(number))?.ok_or_else(missing)?;
        let mut opened = self.open(number, &bytes);
        if is_damaged(&opened) {
            // An answer may have been damaged on its way; an entry that others can read must not be void.
            bytes = self.remote.get(&log_key(number))?.ok_or_else(missing)?;
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

    fn open(&self, number: u64, sealed: &[u8]) -> Result<Entry> {
        Entry::decode(&self.keyring.open(Purpose::Log, &self.place(number), sealed)?)
    }

    /// Appends an entry after the last one of a state. `None` if another writer was faster; then its entry has been read.
    pub fn append(&self, state: &mut State, writer: &Writer, change: Change) -> Result<Option<Link>> {
        self.append_with(self.keyring, state, writer, change)
    }

    /// Like [`Log::append`], with an entry that only this keyring opens. Entries of other writers are read with the keyring of the
    /// log: if one of them has replaced the keys, this fails with [`ErrorKind::WrongKey`].
    pub fn append_with(
        &self,
        keyring: &Keyring,
        state: &mut State,
        writer: &Writer,
        change: Change,
    ) -> Result<Option<Link>> {
        if state.has_ambiguous_pack(&change) {
            return Err(Error::new(ErrorKind::Internal, "two new packs have similar names")
                .hint("run the command again: packs then have other names"));
        }
        let number = state.tail + 1;
        let recent = if repeats_recent(number) { state.recent.clone() } else { Vec::new() };
        let entry = Entry { previous: state.last, writer: writer.clone(), change, recent };
        let sealed = self.seal(keyring, Purpose::Log, number, entry.encode())?;
        let link = Link { number, hash: FileName::of(&sealed) };
        match self.remote.create(&log_key(number), &sealed)? {
            Created::New => {
                state.apply(link, keyring.generation(), entry);
                Ok(Some(link))
            }
            Created::Exists => {
                self.read(state)?;
                Ok(None)
            }
        }
    }

    fn seal(&self, keyring: &Keyring, purpose: Purpose, number: u64, mut plain: Vec<u8>) -> Result<Vec<u8>> {
        plain.resize(padded_length(plain.len()), 0);
        keyring.seal(purpose, &self.place(number), &plain)
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
        for (number, name) in folds.into_iter().rev() {
            // A fold that cannot be read costs only time: the entries before it say the same. One with older keys may be forged
            // by someone whose keys were replaced.
            if let Some(bytes) = self.remote.get(&file::fold_key(number, name))?
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
        let sealed = self.seal(self.keyring, Purpose::Fold, number, state.encode())?;
        self.remote.put(&file::fold_key(number, FileName::of(&sealed)), &sealed)
    }
}

fn repeats_recent(number: u64) -> bool {
    number.is_multiple_of(REPEATED)
}

/// Applies the entries that an entry repeats, and the entry. Changes nothing if they do not continue the state.
fn apply_recent(state: &mut State, link: Link, generation: u32, entry: Entry) {
    let mut ahead = state.clone();
    for recent in entry.recent.iter().filter(|recent| recent.link.number > state.number()) {
        match Entry::decode(&recent.bytes) {
            Ok(repeated) if repeated.previous == ahead.last && !ahead.has_ambiguous_pack(&repeated.change) => {
                ahead.apply(recent.link, recent.generation, repeated);
            }
            _ => return,
        }
    }
    let is_next = entry.previous == ahead.last && generation >= ahead.generation;
    if is_next && !ahead.has_ambiguous_pack(&entry.change) {
        ahead.apply(link, generation, entry);
        *state = ahead;
    }
}

fn is_damaged(opened: &Result<Entry>) -> bool {
    opened.as_ref().is_err_and(|error| error.kind() == ErrorKind::Damaged)
}

fn replaced(number: u64) -> Error {
    Error::damaged(format!("entry {number} of the log differs from what this machine has seen")).hint(OLDER)
}
