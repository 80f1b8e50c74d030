#!/bin/sh
# Accounts for every object of a repository: compares the objects reachable from the whole history with the stored ones,
# by kind and id. Lists unreachable objects. One exception: the empty blob is reachable but never stored.
#
#     account.sh [DIR]      0 if all objects are accounted for, 1 if unreachable objects are stored
#
# Requires `undo` on the PATH.
set -eu
LC_ALL=C
export LC_ALL
cd "${1:-.}"
empty=af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262

files=$(mktemp -d)
trap 'rm -rf "$files"' EXIT

fail() {
    printf 'account: %s\n' "$*" >&2
    exit 2
}

# Reachable objects: ID TYPE SIZE.
undo rev-list --all --objects | undo cat-file --batch-check > "$files/reached"
[ "$(wc -l < "$files/reached")" -eq "$(undo rev-list --all --objects --count)" ] || fail "the list was cut short"
! grep -v -E '^[0-9a-f]{64} [a-z-]+ [0-9]+$' "$files/reached" || fail "these cannot be read"
grep -v "^$empty " "$files/reached" > "$files/to-be-stored" || [ $? -eq 1 ]
cut -d ' ' -f 1 "$files/to-be-stored" | sort > "$files/reached-ids"
[ -z "$(uniq -d "$files/reached-ids")" ] || fail "an object is listed twice"

# Stored objects: ID KIND SIZE FRAME OFFSET.
undo verify-pack -v > "$files/packs"
grep -E '^[0-9a-f]{64} ' "$files/packs" > "$files/stored" || [ $? -eq 1 ]
cut -d ' ' -f 1 "$files/stored" | sort -u > "$files/stored-ids"
undo count-objects -v > "$files/counted"

counted() {
    sed -n "s/^$1: //p" "$files/counted"
}

reached() {
    grep -c "^[0-9a-f]* $1 " "$files/to-be-stored" || [ $? -eq 1 ]
}

difference=0
compare() { # TYPE, and how many of it are stored
    printf '%-12s %8d reached %8d stored\n' "$1" "$(reached "$1")" "$2"
    [ "$(reached "$1")" -eq "$2" ] || difference=1
}

compare blob $(($(counted data) + $(counted layouts)))
compare layout-node "$(counted layout-nodes)"
compare tree "$(counted trees)"
compare attributes "$(counted attributes)"
compare links "$(counted links)"
compare commit "$(counted commits)"

# Checks that no object is missing, and lists unreachable ones.
comm -23 "$files/reached-ids" "$files/stored-ids" > "$files/missing"
[ ! -s "$files/missing" ] || fail "reached, and not stored: $(head -n 1 "$files/missing")"
comm -13 "$files/reached-ids" "$files/stored-ids" > "$files/abandoned"
while read -r id; do
    difference=1
    printf 'abandoned %s %s\n' "$id" "$(undo cat-file -t "$id")"
done < "$files/abandoned"
copies=$(($(wc -l < "$files/stored") - $(counted objects)))
[ "$copies" -eq "$(counted duplicates)" ] || fail "$copies copies, and $(counted duplicates) are counted"
exit $difference
