<?php
// A service provider made of SimpleSAMLphp (Debian package simplesamlphp), behind PHP's own web server on loopback.
// It takes commands as lines of JSON on stdin and answers each with one line on stdout; this process plays the browser.
$server = null;
$log = null;

function answer(array $value): void
{
    fwrite(STDOUT, json_encode($value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES) . "\n");
    fflush(STDOUT);
}

/** One exchange with the site. Cookies are kept in $jar; redirects are not followed. */
function fetch(string $path, array &$jar, ?array $form = null): array
{
    global $port;
    $cookies = implode('; ', array_map(fn($name, $value) => "$name=$value", array_keys($jar), $jar));
    $context = stream_context_create(['http' => [
        'method' => $form === null ? 'GET' : 'POST',
        'header' => "Cookie: $cookies\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n",
        'content' => $form === null ? '' : http_build_query($form),
        'follow_location' => 0, 'ignore_errors' => true, 'timeout' => 60,
    ]]);
    $body = file_get_contents("http://127.0.0.1:$port$path", false, $context);
    $location = null;
    foreach ($http_response_header ?? [] as $header) {
        if (preg_match('/^Set-Cookie: ([^=]+)=([^;]*)/i', $header, $cookie)) {
            $jar[$cookie[1]] = $cookie[2];
        }
        if (preg_match('/^Location: (.*)$/i', $header, $found)) {
            $location = trim($found[1]);
        }
    }
    return [$body === false ? '' : $body, $location];
}

function path(string $url): string
{
    $parts = parse_url($url);
    return $parts['path'] . (isset($parts['query']) ? '?' . $parts['query'] : '');
}

function configure(array $command): array
{
    global $server, $port, $log;
    $folder = $command['folder'];
    foreach (['config', 'sessions', 'temp', 'log', 'cache', 'data'] as $name) {
        @mkdir("$folder/$name");
    }
    $origin = $command['origin'];
    $config = [
        'baseurlpath' => "$origin/simplesaml/", 'certdir' => $folder, 'datadir' => "$folder/data", 'tempdir' => "$folder/temp", 'loggingdir' => "$folder/log",
        'cachedir' => "$folder/cache", 'secretsalt' => bin2hex(random_bytes(16)), 'auth.adminpassword' => bin2hex(random_bytes(16)), 'timezone' => 'UTC',
        'logging.level' => 4, 'logging.handler' => 'errorlog', 'trusted.url.domains' => [parse_url($origin, PHP_URL_HOST)], 'store.type' => 'phpsession',
        'session.phpsession.savepath' => "$folder/sessions", 'session.cookie.secure' => true, 'enable.saml20-idp' => false, 'module.enable' => ['saml' => true],
        'metadata.sources' => [['type' => 'xml', 'file' => $command['idp_metadata']]], 'session.duration' => 3600, 'assertion.allowed_clock_skew' => 180,
    ];
    $source = ['default-sp' => [
        'saml:SP', 'entityID' => $command['entity_id'], 'idp' => $command['idp_entity_id'], 'privatekey' => basename($command['key_file']), 'certificate' => basename($command['cert_file']),
        'sign.authnrequest' => true, 'sign.logout' => true, 'validate.logout' => true, 'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'WantAssertionsSigned' => true, 'redirect.sign' => true, 'redirect.validate' => true,
        'RelayState' => "$origin/app",
        'NameIDPolicy' => ['Format' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent', 'AllowCreate' => true], 'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
    ]];
    file_put_contents("$folder/config/config.php", '<?php $config = ' . var_export($config, true) . ';');
    file_put_contents("$folder/config/authsources.php", '<?php $config = ' . var_export($source, true) . ';');

    $listener = stream_socket_server('tcp://127.0.0.1:0');
    $port = (int) substr(strrchr(stream_socket_get_name($listener, false), ':'), 1);
    fclose($listener);
    $log = "$folder/log/server.log";
    $server = proc_open([PHP_BINARY, '-d', 'display_errors=0', '-d', 'zend.assertions=-1', '-S', "127.0.0.1:$port", __DIR__ . '/router.php'],
        [['file', '/dev/null', 'r'], ['file', $log, 'a'], ['file', $log, 'a']], $pipes, __DIR__, ['SIMPLESAMLPHP_CONFIG_DIR' => "$folder/config", 'SITE_HOST' => parse_url($origin, PHP_URL_HOST), 'PATH' => getenv('PATH')]);
    for ($tries = 0; $tries < 600; $tries++) {
        if ($connection = @fsockopen('127.0.0.1', $port)) {
            fclose($connection);
            break;
        }
        usleep(50_000);
    }
    $jar = [];
    [$metadata] = fetch('/simplesaml/module.php/saml/sp/metadata.php/default-sp', $jar);
    return str_contains($metadata, 'EntityDescriptor') ? ['metadata' => $metadata] : ['metadata' => '', 'error' => $metadata . file_get_contents($log)];
}

$jars = [];
$last = [];    // cookies of whoever signed in last
while (($line = fgets(STDIN)) !== false) {
    $command = json_decode($line, true);
    switch ($command['do']) {
        case 'configure':
            answer(configure($command));
            break;
        case 'request':
            // The site asks for a sign-in: it answers with the address of the hub.
            $jar = [];
            [$body, $location] = fetch('/app', $jar);
            if ($location === null) {
                answer(['error' => $body . file_get_contents($log)]);
                break;
            }
            parse_str(parse_url($location, PHP_URL_QUERY), $query);
            preg_match('/ID="([^"]+)"/', gzinflate(base64_decode($query['SAMLRequest'])), $id);
            $jars[$id[1]] = $jar;
            answer(['id' => $id[1], 'url' => $location]);
            break;
        case 'response':
            // The browser brings the response, and is led to the page that shows who is signed in.
            $id = $command['outstanding'][0] ?? null;
            $jar = $id === null ? [] : $jars[$id];
            [$body, $location] = fetch('/simplesaml/module.php/saml/sp/saml2-acs.php/default-sp', $jar, ['SAMLResponse' => $command['saml_response']] + ($command['relay_state'] ?? null ? ['RelayState' => $command['relay_state']] : []));
            if ($location === null) {
                answer(['ok' => false, 'error' => trim(strip_tags($body)) . ' ' . substr(file_get_contents($log), -4000)]);
                break;
            }
            [$body] = fetch(path($location), $jar);
            $last = $jar;
            answer(json_decode($body, true) ?? ['ok' => false, 'error' => $body]);
            break;
        case 'logout':
            // The site ends its session and asks the hub to do the same.
            [$body, $location] = fetch('/logout', $last);
            answer($location === null ? ['error' => $body . file_get_contents($log)] : ['url' => $location]);
            break;
        case 'logout_response':
            // Once the hub has answered, the browser is led to the page that the site shows to those who are out, and has to sign in anew.
            [$body, $location] = fetch(path($command['url']), $last);
            [, $again] = fetch('/app', $last);
            answer(['ok' => $location !== null && str_ends_with($location, '/signed-out') && $again !== null, 'error' => $location === null ? $body . file_get_contents($log) : $location]);
            break;
        case 'logout_request':
            [$body, $location] = fetch(path($command['url']), $last);
            answer($location === null ? ['error' => trim(strip_tags($body)) . file_get_contents($log)] : ['url' => $location]);
            break;
    }
}
if ($server !== null) {
    proc_terminate($server);
    proc_close($server);
}
