#!/bin/sh
# Fails on words of a private dialect, in identifiers, comments and texts: readers and operators search
# for the field's terms. Each line has the words and what to write instead.
set -eu

# Everything but what is generated, and this list.
generated="crates/tools/bench/results"

words="
patience                                        timeout
stranger|strangers                              third party, client
mightiest                                       most privileged
sufferer|sufferers                              client
whoever|nobody|somebody|everybody|anybody       the subject: no client, all users, the caller, an operator
wish|wishes                                     arguments, options
weather                                         network state
admitted                                        authorized
witness|witnesses                               probe
spice|spices                                    token
hardened                                        security headers
(is|are|was|were|goes|gone)[ _]away             unavailable, disconnected
twin|twins                                      counterpart, port
looked[ _]at                                    checked, read
is_told|is_said|told                            log_enabled, logged, reported
promised                                        acknowledged
prose                                           description
"

# Words that are right in a sentence, and wrong as the name of something in the code.
identifiers="
most                                            max, limit
gone                                            deleted, removed, disconnected
place                                           position, location, path, permit
judge|judged                                    evaluate, classify
blow|blows|strike|strikes                       signal, send
aim|aims                                        target
"

# The account of that name is no pronoun; descriptions in the OpenAPI document are the contract.
allowed='"nobody"|, or (everybody|anybody)\b.* for a superuser'

status=0
# shellcheck disable=SC2086
files=$(git ls-files | grep -E '\.(rs|md|py|sh|j2)$' | grep -v "^$generated/" | grep -v '^\.ci/words\.sh$')
while IFS= read -r line; do
    [ -n "$line" ] || continue
    pattern=$(printf '%s' "$line" | sed -E 's/ {2,}.*//')
    instead=$(printf '%s' "$line" | sed -E 's/^.* {2,}//')
    # In snake_case and prose, at the start of CamelCase words, and in constants.
    capital=$(printf '%s' "$pattern" | sed -E 's/(^|\|)([a-z])/\1\U\2/g')
    upper=$(printf '%s' "$pattern" | tr '[:lower:]' '[:upper:]')
    regex="(?<![A-Za-z])($pattern)(?![a-z])|($capital)(?![a-z])|(?<![A-Za-z])($upper)(?![A-Za-z])"
    # shellcheck disable=SC2086
    if grep -nHP "$regex" $files | grep -vE "$allowed"; then
        echo "words: write instead: $instead" >&2
        status=1
    fi
done <<END
$words
END

# In declarations and as parts of longer names; the names of tests are sentences.
rust=$(printf '%s\n' $files | grep '\.rs$')
while IFS= read -r line; do
    [ -n "$line" ] || continue
    word=$(printf '%s' "$line" | sed -E 's/ {2,}.*//')
    instead=$(printf '%s' "$line" | sed -E 's/^.* {2,}//')
    capital=$(printf '%s' "$word" | sed -E 's/(^|\|)([a-z])/\1\U\2/g')
    declared="\b(let|mut|ref|fn|for|mod|struct|enum|type|const|static) ($word)\b|[(|,] ?($word)(: |[|,)])"
    part="_($word)\b|\b($word)_|(?<![A-Z])($capital)(?![a-z])"
    # shellcheck disable=SC2086
    if grep -nHP "^(?!\s*//|\s*(async )?fn \w+\(\)).*($declared|$part)" $rust; then
        echo "words: call it instead: $instead" >&2
        status=1
    fi
done <<END
$identifiers
END

# What fault injection injects is a fault; anything else is a defect, an error or a failure.
injection='^crates/tools/(containers|contract|testbed|trials)/|^docs/operations\.md$|(README|CHANGELOG)\.md$'
# shellcheck disable=SC2086
if grep -nHiP '(?<![a-z])fault(s|y)?(?![a-z])' $(printf '%s\n' $files | grep -vE "$injection"); then
    echo "words: write instead: defect, error, failure" >&2
    status=1
fi
exit $status
