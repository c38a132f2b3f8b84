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

passed=0 failed=0 skipped=0
for project in tests/*.Tests/*.csproj; do
    name=$(basename "$project" .csproj)
    wanted "$name" "$@" || continue
    say "== $name"
    log="$results/$name.log"
    started=$SECONDS
    timeout --kill-after=20 900 dotnet "tests/$name/bin/$configuration/net10.0/$name.dll" -noColor -noLogo -ctrf "$results/$name.json" >"$log" 2>&1 </dev/null
    code=$?
    total=$(grep -oE 'Total: [0-9]+, Errors: [0-9]+, Failed: [0-9]+, Skipped: [0-9]+' "$log" | tail -n 1)
    if [ -z "$total" ]; then
        say "   did not finish (exit code $code); the end of its output:"
        tail -n 40 "$log"
        failed=$((failed + 1))
        continue
    fi
    read -r all errors bad skip <<<"$(grep -oE '[0-9]+' <<<"$total" | tr '\n' ' ')"
    passed=$((passed + all - bad - skip)) failed=$((failed + bad + errors)) skipped=$((skipped + skip))
    say "   $((all - bad - skip)) passed, $((bad + errors)) failed, $skip skipped in $((SECONDS - started)) s"
    grep -E '\[SKIP\]' -A 1 "$log" | sed 's/^/   /'
    if [ "$bad" -gt 0 ] || [ "$errors" -gt 0 ]; then grep -vE '^\s*$' "$log" | tail -n 120; fi
done

say "Test output, screenshots included, is under artifacts/."
say "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
