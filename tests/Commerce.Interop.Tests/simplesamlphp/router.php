<?php
// What a web server's configuration would do: the library's scripts below /simplesaml, and one page of the site itself.
const LIBRARY = '/usr/share/simplesamlphp';

// The site is on https as far as anyone can see: this is what a proxy in front of it would say.
$_SERVER['HTTPS'] = 'on';
$_SERVER['HTTP_HOST'] = $_SERVER['SERVER_NAME'] = getenv('SITE_HOST');
$_SERVER['SERVER_PORT'] = '443';
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/app') {
    require LIBRARY . '/lib/_autoload.php';
    $source = new \SimpleSAML\Auth\Simple('default-sp');
    $source->requireAuth(['ReturnTo' => 'https://' . getenv('SITE_HOST') . '/app']);
    $name = $source->getAuthData('saml:sp:NameID');
    header('Content-Type: application/json');
    echo json_encode([
        'ok' => true, 'attributes' => $source->getAttributes(), 'name' => $name->getValue(), 'format' => $name->getFormat(),
        'issuer' => $source->getAuthData('saml:sp:IdP'), 'context' => $source->getAuthData('saml:sp:AuthnContext'), 'session_index' => $source->getAuthData('saml:sp:SessionIndex'),
    ], JSON_UNESCAPED_SLASHES);
    return true;
}
if ($path === '/logout') {
    require LIBRARY . '/lib/_autoload.php';
    (new \SimpleSAML\Auth\Simple('default-sp'))->logout(['ReturnTo' => 'https://' . getenv('SITE_HOST') . '/signed-out']);
    return true;
}
if (preg_match('#^/simplesaml/(module\.php)(/.*)$#', $path, $parts)) {
    $_SERVER['PATH_INFO'] = $parts[2];
    $_SERVER['SCRIPT_NAME'] = '/simplesaml/' . $parts[1];
    $_SERVER['PHP_SELF'] = $path;
    $_SERVER['SCRIPT_FILENAME'] = LIBRARY . '/www/' . $parts[1];
    chdir(LIBRARY . '/www');
    require LIBRARY . '/www/' . $parts[1];
    return true;
}
http_response_code(404);
return true;
