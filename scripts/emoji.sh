#!/bin/sh
# Fetches the colour emoji of Google and Twitter with their names by npm (about 140 MB) and writes data/emoji: pictures of 64×64,
# captions.jsonl to train on (configs/emoji.toml) and unseen.jsonl, 66 pairs of name and style that are left out of it.
#
#   scripts/emoji.sh                  1,906 names in two styles
#   scripts/emoji.sh --skin-tones     and their variants by skin tone, 3,781 names in all
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent emoji-datasource-google@16.0.0 emoji-datasource-twitter@16.0.0 unicode-emoji-json@0.9.0 >/dev/null)
for package in emoji-datasource-google emoji-datasource-twitter unicode-emoji-json; do
    mkdir "$work/$package"
    tar xzf "$work/$package"-*.tgz -C "$work/$package" --strip-components 1
done
cargo run --release -p fokker-data --example emoji -- "$work" data/emoji "$@"
