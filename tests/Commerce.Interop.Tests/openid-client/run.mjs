// A relying party built on openid-client, against a running hub. Reads its configuration as JSON from standard input and writes one JSON
// object: step -> "ok" or what went wrong. Every check of the answers is the library's own; this file only leads the browser.
import * as client from 'openid-client';
import { Browser, must } from '../browser.mjs';

const config = JSON.parse(await new Response(process.stdin).text());
const results = {};
const step = async (name, work) => {
  try {
    const value = await work();
    results[name] = 'ok';
    return value;
  } catch (error) {
    results[name] = [error.name, error.code, error.message, error.cause?.message ?? JSON.stringify(error.cause ?? ''), error.error].filter(Boolean).join(' | ');
    return undefined;
  }
};

const insecure = { execute: [client.allowInsecureRequests] };     // the hub under test listens on loopback without TLS
const discover = (which, authentication) => client.discovery(new URL(config.issuer), which.client_id, which.metadata ?? {}, authentication, insecure);

/** One sign-in with PKCE, state and nonce, all of them checked by the library, iss (RFC 9207) included. */
async function signIn(rp, which, browser, more = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(rp, {
    redirect_uri: which.redirect_uri, scope: 'openid profile email offline_access', state, nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...more,
  });
  const callback = await browser.goTo(url, which.redirect_uri);
  return client.authorizationCodeGrant(rp, callback, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true });
}

const browser = new Browser(config);
const basic = config.clients.basic;
const rp = await step('discovery', () => discover(basic, client.ClientSecretBasic(basic.client_secret)));

const tokens = rp && await step('code_with_pkce_state_nonce_and_iss', () => signIn(rp, basic, browser));
if (tokens) {
  await step('id_token_signed_and_complete', async () => {
    client.enableNonRepudiationChecks(rp);     // from here on the library verifies the signatures of all it receives
    const again = await signIn(rp, basic, browser, { prompt: 'none' });
    must(again.claims().sub === tokens.claims().sub, 'Another sub.');
    must(again.claims().auth_time === tokens.claims().auth_time, 'Another auth_time.');
  });
  await step('userinfo', async () => {
    const info = await client.fetchUserInfo(rp, tokens.access_token, tokens.claims().sub);
    must(info.email === config.email, `email is ${info.email}`);
    must(info.name && info.given_name && info.family_name, 'No name.');
  });
  const refreshed = await step('refresh', async () => {
    const next = await client.refreshTokenGrant(rp, tokens.refresh_token);
    must(next.refresh_token && next.refresh_token !== tokens.refresh_token, 'Not rotated.');
    must(next.claims().sub === tokens.claims().sub, 'Another sub.');
    return next;
  });
  await step('max_age_and_form_hints', async () => {
    const again = await signIn(rp, basic, browser, { max_age: '10000', login_hint: config.email, ui_locales: 'fi en', display: 'page' });
    must(again.claims().auth_time === tokens.claims().auth_time, 'Signed in again.');
  });
  await step('prompt_login', async () => {
    await new Promise((go) => setTimeout(go, 1100));     // auth_time has whole seconds
    await signIn(rp, basic, browser, { prompt: 'login' });
  });
  if (refreshed) {
    await step('refresh_reuse_ends_the_family', async () => {
      const code = async (token) => client.refreshTokenGrant(rp, token).then(() => 'accepted', (error) => error.error);
      must(await code(tokens.refresh_token) === 'invalid_grant', 'The old token was accepted.');
      must(await code(refreshed.refresh_token) === 'invalid_grant', 'The family lives on.');
    });
  }
}

await step('private_key_jwt_rs256_and_signed_userinfo', async () => {
  const which = config.clients.key;
  const key = await crypto.subtle.importKey('jwk', which.private_jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const withKey = await discover(which, client.PrivateKeyJwt({ key, kid: which.private_jwk.kid }));
  client.enableNonRepudiationChecks(withKey);
  const got = await signIn(withKey, which, browser);
  const header = JSON.parse(Buffer.from(got.id_token.split('.')[0], 'base64url'));
  must(header.alg === 'RS256', `Signed with ${header.alg}.`);
  const info = await client.fetchUserInfo(withKey, got.access_token, got.claims().sub);
  must(info.email === config.email && info.iss === config.issuer, 'Userinfo was not signed.');
  must(got.claims().sub !== tokens?.claims().sub, 'Two partners know one customer under one name.');
  await client.refreshTokenGrant(withKey, got.refresh_token);
});

// FAPI 2.0: pushed, proven by key, tokens bound by DPoP with the hub's nonces; with message signing, request and answer are JWTs too.
for (const [name, which] of [['fapi2', config.clients.fapi2], ['fapi2_message_signing', config.clients.fapi2ms]]) {
  await step(name, async () => {
    const key = await crypto.subtle.importKey('jwk', which.private_jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
    const signing = { key, kid: which.private_jwk.kid };
    const bank = await discover(which, client.PrivateKeyJwt(signing));
    client.enableNonRepudiationChecks(bank);
    const isSigned = name !== 'fapi2';
    if (isSigned) client.useJwtResponseMode(bank);
    const DPoP = client.getDPoPHandle(bank, await client.randomDPoPKeyPair('ES256'));
    const verifier = client.randomPKCECodeVerifier();
    const [state, nonce] = [client.randomState(), client.randomNonce()];
    const request = {
      redirect_uri: which.redirect_uri, scope: 'openid offline_access', state, nonce, claims: JSON.stringify({ userinfo: { email: { essential: true } } }),
      code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    };
    const asked = isSigned ? (await client.buildAuthorizationUrlWithJAR(bank, request, signing)).searchParams : request;
    const url = await client.buildAuthorizationUrlWithPAR(bank, asked, { DPoP });
    must([...url.searchParams.keys()].sort().join() === 'client_id,request_uri', `The browser carries ${url.search}`);
    const callback = await browser.goTo(url, which.redirect_uri);
    must(callback.searchParams.has('response') === isSigned, `The answer is ${callback.search}`);
    const got = await client.authorizationCodeGrant(bank, callback, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }, undefined, { DPoP });
    must(got.token_type === 'dpop', `The token is of type ${got.token_type}.`);
    const info = await client.fetchUserInfo(bank, got.access_token, got.claims().sub, { DPoP });
    must(info.email === config.email && info.name === undefined, 'Not the claims that were asked for.');
    const next = await client.refreshTokenGrant(bank, got.refresh_token, undefined, { DPoP });
    must(next.token_type === 'dpop', 'Refreshed into another kind of token.');
    const stolen = await fetch(new URL('/connect/userinfo', config.issuer), { headers: { authorization: `Bearer ${next.access_token}` } });
    must(stolen.status === 401, `As a bearer token it opens userinfo: ${stolen.status}.`);
  });
}

await step('client_credentials', async () => {
  const which = config.clients.machine;
  const machine = await discover(which, client.ClientSecretBasic(which.client_secret));
  const got = await client.clientCredentialsGrant(machine, { scope: 'bookings:write' });
  must(got.token_type === 'bearer' && got.scope === 'bookings:write', 'Another token than asked for.');
});

if (tokens) {
  await step('logout', async () => {
    const state = client.randomState();
    const url = client.buildEndSessionUrl(rp, { id_token_hint: tokens.id_token, post_logout_redirect_uri: basic.post_logout_redirect_uri, state });
    const back = await browser.goTo(url, basic.post_logout_redirect_uri);
    must(back.searchParams.get('state') === state, 'Another state.');
  });
  await step('prompt_none_after_logout_is_login_required', async () => {
    const error = await signIn(rp, basic, browser, { prompt: 'none' }).then(() => 'signed in', (e) => e.error);
    must(error === 'login_required', error);
  });
}

process.stdout.write(JSON.stringify(results));
