// A relying party on oauth4webapi, which does nothing by itself: every message is sent and checked here, by the library's own functions.
// Reads its configuration as JSON from standard input and writes one JSON object: step -> "ok" or what went wrong.
import * as oauth from 'oauth4webapi';
import { Browser, must } from '../browser.mjs';

const config = JSON.parse(await new Response(process.stdin).text());
const results = {};
const step = async (name, work) => {
  try {
    const value = await work();
    results[name] = 'ok';
    return value;
  } catch (error) {
    results[name] = [error.name, error.code, error.message, error.error, error.error_description, error.cause?.message ?? JSON.stringify(error.cause ?? '')].filter(Boolean).join(' | ');
    return undefined;
  }
};

const insecure = { [oauth.allowInsecureRequests]: true };     // the hub under test listens on loopback without TLS
const issuer = new URL(config.issuer);
const as = await step('discovery', async () =>
  oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure })));

/** What one registration needs: the client as the library wants it, its way to prove itself, and its DPoP key where it has one. */
async function party(which, dpop) {
  const client = { client_id: which.client_id, ...which.metadata };
  const key = which.private_jwk && { kid: which.private_jwk.kid, key: await crypto.subtle.importKey('jwk', which.private_jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']) };
  const proof = dpop ? oauth.DPoP(client, await oauth.generateKeyPair('ES256')) : undefined;
  return { which, client, key, authentication: key ? oauth.PrivateKeyJwt(key) : oauth.ClientSecretPost(which.client_secret), options: { ...insecure, ...(proof && { DPoP: proof }) } };
}

/** Sends, and once more where the hub asks for a nonce: the library keeps the one it was given (RFC 9449 §8). */
async function withNonce(send, process) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await process(await send());
    } catch (error) {
      if (attempt > 0 || !oauth.isDPoPNonceError(error)) throw error;
    }
  }
}

/** Code and PKCE; pushed, signed and answered by a signed response where the arguments say so. */
async function signIn(rp, browser, { pushed = false, signed = false, mode, scope = 'openid profile email offline_access' } = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  let parameters = new URLSearchParams({
    client_id: rp.client.client_id, redirect_uri: rp.which.redirect_uri, response_type: 'code', scope, state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...(mode && { response_mode: mode }),
  });
  if (signed) parameters = new URLSearchParams({ client_id: rp.client.client_id, request: await oauth.issueRequestObject(as, rp.client, parameters, rp.key) });
  if (pushed) {
    const answer = await withNonce(() => oauth.pushedAuthorizationRequest(as, rp.client, rp.authentication, parameters, rp.options),
      (response) => oauth.processPushedAuthorizationResponse(as, rp.client, response));
    parameters = new URLSearchParams({ client_id: rp.client.client_id, request_uri: answer.request_uri });
  }
  const url = new URL(as.authorization_endpoint);
  url.search = parameters;
  const callback = await browser.goTo(url, rp.which.redirect_uri);
  const answer = mode === 'jwt' ? await oauth.validateJwtAuthResponse(as, rp.client, callback, state, insecure) : oauth.validateAuthResponse(as, rp.client, callback, state);
  const tokens = await withNonce(() => oauth.authorizationCodeGrantRequest(as, rp.client, rp.authentication, answer, rp.which.redirect_uri, verifier, rp.options), async (response) => {
    const result = await oauth.processAuthorizationCodeResponse(as, rp.client, response, { expectedNonce: nonce, requireIdToken: true });
    await oauth.validateApplicationLevelSignature(as, response, insecure);
    return result;
  });
  return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens) };
}

const userInfo = (rp, { tokens, claims }) => withNonce(() => oauth.userInfoRequest(as, rp.client, tokens.access_token, rp.options),
  (response) => oauth.processUserInfoResponse(as, rp.client, claims.sub, response));
const refresh = (rp, token) => withNonce(() => oauth.refreshTokenGrantRequest(as, rp.client, rp.authentication, token, rp.options),
  (response) => oauth.processRefreshTokenResponse(as, rp.client, response));

const browser = new Browser(config);
const clients = config.clients;

if (as) {
  const basic = await party(clients.basic);
  const first = await step('code_with_pkce', () => signIn(basic, browser));
  if (first) {
    await step('userinfo', async () => must((await userInfo(basic, first)).email === config.email, 'Another email.'));
    await step('refresh', async () => must((await refresh(basic, first.tokens.refresh_token)).refresh_token !== first.tokens.refresh_token, 'Not rotated.'));
    await step('par', () => signIn(basic, browser, { pushed: true }));
    await step('jarm', () => signIn(basic, browser, { mode: 'jwt' }));
  }

  await step('private_key_jwt_and_jar', async () => {
    const rp = await party(clients.key);
    await signIn(rp, browser, { signed: true });
  });

  await step('dpop', async () => {
    const rp = await party(clients.dpop, true);
    const got = await signIn(rp, browser);
    must(got.tokens.token_type === 'dpop', `token_type is ${got.tokens.token_type}`);
    must((await userInfo(rp, got)).email === config.email, 'Another email.');
    await refresh(rp, got.tokens.refresh_token);
    const bearer = await oauth.userInfoRequest(as, rp.client, got.tokens.access_token, insecure);
    must(bearer.status === 401, `As a bearer token it was answered ${bearer.status}.`);
  });

  await step('fapi2_security_profile', async () => {
    const rp = await party(clients.fapi, true);
    const got = await signIn(rp, browser, { pushed: true });
    must((await userInfo(rp, got)).email === config.email, 'Another email.');
    await refresh(rp, got.tokens.refresh_token);
  });

  await step('fapi2_message_signing', async () => {
    const rp = await party(clients.signing, true);
    await userInfo(rp, await signIn(rp, browser, { pushed: true, signed: true, mode: 'jwt' }));
  });

  await step('introspection_and_revocation', async () => {
    const { tokens } = await signIn(basic, browser);
    const ask = async () => oauth.processIntrospectionResponse(as, basic.client, await oauth.introspectionRequest(as, basic.client, basic.authentication, tokens.access_token, insecure));
    must((await ask()).active === true, 'Not active.');
    await oauth.processRevocationResponse(await oauth.revocationRequest(as, basic.client, basic.authentication, tokens.refresh_token, insecure));
    must((await ask()).active === false, 'Active after it was revoked.');
  });

  if (first) {
    await step('logout', async () => {
      const url = new URL(as.end_session_endpoint);
      url.search = new URLSearchParams({ id_token_hint: first.tokens.id_token, post_logout_redirect_uri: clients.basic.post_logout_redirect_uri, state: 's' });
      const back = await browser.goTo(url, clients.basic.post_logout_redirect_uri);
      must(back.searchParams.get('state') === 's', 'Another state.');
    });
  }
}

process.stdout.write(JSON.stringify(results));
