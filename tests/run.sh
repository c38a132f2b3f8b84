#!/usr/bin/env bash
# Runs every test. Installs what the tests need from Debian and npm, builds, runs each test project, and ends with "N passed, N failed".
#   bash tests/run.sh                 everything
#   bash tests/run.sh Saml Kernel     only the projects whose names hold one of these words
set -uo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
configuration=Release
results=artifacts/test-results
mkdir -p "$results"

say() { printf '%s\n' "$*"; }

# Debian package -> a file or command that shows it is there. A test whose program is missing says so by name.
install_tools() {
    local missing=()
    need() { command -v "$2" >/dev/null 2>&1 || [ -e "$2" ] || missing+=("$1"); }
    need chromium chromium
    need xmlsec1 xmlsec1
    need nodejs node
    command -v npm >/dev/null 2>&1 || need npm npm
    need libicu72 "$(ls /usr/lib/*/libicuuc.so.* 2>/dev/null | head -n 1)"
    need postgresql "$(ls /usr/lib/postgresql/*/bin/postgres 2>/dev/null | head -n 1)"
    need softhsm2 softhsm2-util
    need libengine-pkcs11-openssl "$(ls /usr/lib/*/engines-3/pkcs11.so 2>/dev/null | head -n 1)"
    need python3-pysaml2 /usr/lib/python3/dist-packages/saml2/__init__.py
    need python3-lasso /usr/lib/python3/dist-packages/lasso.py
    need php-cli php
    need php-xml "$(ls /usr/lib/php/*/dom.so 2>/dev/null | head -n 1)"
    need php-mbstring "$(ls /usr/lib/php/*/mbstring.so 2>/dev/null | head -n 1)"
    need simplesamlphp /usr/share/simplesamlphp/lib/_autoload.php
    need fonts-noto-cjk /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
    [ ${#missing[@]} -eq 0 ] && return 0
    say "Installing from Debian: ${missing[*]}"
    local as_root=""
    [ "$(id -u)" -eq 0 ] || as_root=sudo
    if ! command -v apt-get >/dev/null 2>&1; then
        say "This is no Debian: install the counterparts of these packages yourself. Tests that miss one say so."
        return 0
    fi
    $as_root apt-get update -qq || true
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$results/apt.log" 2>&1 \
        || say "Some packages could not be installed (see $results/apt.log). Tests that miss one say so."
}

install_npm() {
    command -v npm >/dev/null 2>&1 || return 0
    local lock
    for lock in tests/*/*/package-lock.json tests/*/package-lock.json; do
        case $lock in tests/Commerce.Benchmarks/*) continue ;; esac     # no test needs the peers
        [ -e "$lock" ] || continue
        (cd "$(dirname "$lock")" && npm ci --no-audit --no-fund --loglevel=error) || say "npm ci failed in $(dirname "$lock"). Its tests say so."
    done
}

wanted() {
    [ $# -eq 1 ] && return 0
    local name=$1 word
    shift
    for word in "$@"; do [[ $name == *"$word"* ]] && return 0; done
    return 1
}

install_tools
install_npm

say "Building"
if ! dotnet build Commerce.sln -c $configuration -v q; then
    say "The build failed."
    say "0 passed, 1 failed"
    exit 1
fi

# Runs one test project, prints what became of it, and leaves its counts in a file.
run_one() {
    local name=$1 log="$results/$1.log" started=$SECONDS code total all errors bad skip
    timeout --kill-after=20 900 dotnet "tests/$name/bin/$configuration/net10.0/$name.dll" -noColor -noLogo -ctrf "$results/$name.json" >"$log" 2>&1 </dev/null
    code=$?
    total=$(grep -oE 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+' "$log" | tail -n 1)
    if [ -z "$total" ]; then
        echo "0 1 0" >"$results/$name.counts"
        printf '== %s did not finish (exit code %s); the end of its output:\n%s\n' "$name" "$code" "$(tail -n 40 "$log")"
        return
    fi
    read -r all errors bad skip <<<"$(grep -oE '[0-9]+' <<<"$total" | tr '\n' ' ')"
    echo "$((all - bad - skip)) $((bad + errors)) $skip" >"$results/$name.counts"
    printf '== %s: %s passed, %s failed, %s skipped in %s s\n%s\n' "$name" $((all - bad - skip)) $((bad + errors)) "$skip" $((SECONDS - started)) \
        "$(grep -E '\[SKIP\]' -A 1 "$log" | sed 's/^/   /'; if [ $((bad + errors)) -gt 0 ]; then grep -vE '^\s*$' "$log" | tail -n 120; fi)" | grep -vE '^$'
}
export -f run_one
export results configuration

# Two at a time where there are two cores; those that take longest begin.
names=()
for project in tests/*.Tests/*.csproj; do
    name=$(basename "$project" .csproj)
    wanted "$name" "$@" && names+=("$name")
done
rm -f "$results"/*.counts
printf '%s\n' "${names[@]}" | awk '{ print (/EndToEnd|Host/ ? 0 : /Kernel|Federation/ ? 1 : 2), $0 }' | sort -s -n -k 1,1 | cut -d ' ' -f 2 \
    | xargs -P "$(($(nproc) < 2 ? 1 : 2))" -I {} bash -c 'run_one {}'

passed=0 failed=0 skipped=0
for name in "${names[@]}"; do
    read -r good bad skip <<<"$(cat "$results/$name.counts" 2>/dev/null || echo 0 1 0)"
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
done

[ "$skipped" -eq 0 ] || say "$skipped tests did not run; they say why above."
say "Test output, screenshots included, is under artifacts/."
say "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
