// A service provider made of node-saml, driven by lines of JSON: one command in, one answer out.
//
// {"do": "configure", "entity_id", "acs", "slo", "sso", "idp_slo", "idp_entity_id", "idp_certificates": [...], "key_file", "cert_file", "decrypts"} answers {"metadata"}.
// {"do": "request", "binding": "redirect" or "post", "relay_state", "is_passive"} answers {"id", "url"} or {"id", "fields"}.
// {"do": "response", "saml_response"} answers {"ok": true, ...} or {"ok": false, "error"}.
// {"do": "logout"} answers {"url"}: the LogoutRequest for whoever signed in last. {"do": "logout_response", "message", "relay_state"} answers
// {"ok"}, and {"do": "logout_request", "message", "relay_state"} answers {"url"}: the LogoutResponse by HTTP-Redirect.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { inflateRawSync } from 'node:zlib'
import { SAML, ValidateInResponseTo } from '@node-saml/node-saml'

const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
let site, passive, posting, last

function configure(given) {
  const options = {
    issuer: given.entity_id,
    audience: given.entity_id,
    callbackUrl: given.acs,
    entryPoint: given.sso,
    logoutUrl: given.idp_slo,
    logoutCallbackUrl: given.slo,
    idpIssuer: given.idp_entity_id,
    idpCert: given.idp_certificates,
    privateKey: readFileSync(given.key_file, 'utf8'),
    publicCert: readFileSync(given.cert_file, 'utf8'),
    ...(given.decrypts ? { decryptionPvk: readFileSync(given.key_file, 'utf8') } : {}),
    signatureAlgorithm: 'sha256',
    digestAlgorithm: 'sha256',
    identifierFormat: persistent,
    wantAssertionsSigned: true,
    wantAuthnResponseSigned: true,
    validateInResponseTo: ValidateInResponseTo.ifPresent,
  }
  site = new SAML(options)
  passive = new SAML({ ...options, passive: true, cacheProvider: site.cacheProvider })
  // DEFLATE belongs to HTTP-Redirect alone (SAML Bindings 3.4.4.1); node-saml would do it to a posted request too.
  posting = new SAML({ ...options, skipRequestCompression: true, cacheProvider: site.cacheProvider })
  return { metadata: site.generateServiceProviderMetadata(given.decrypts ? options.publicCert : null, options.publicCert) }
}

const idOf = xml => /\bID="([^"]+)"/.exec(xml)[1]
const unescape = text => text.replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(parseInt(code, 16)))
  .replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&amp;/g, '&')

async function request(command) {
  if (command.binding === 'redirect') {
    const url = await (command.is_passive ? passive : site).getAuthorizeUrlAsync(command.relay_state ?? '', undefined, {})
    const message = new URL(url).searchParams.get('SAMLRequest')
    return { id: idOf(inflateRawSync(Buffer.from(message, 'base64')).toString()), url }
  }
  const page = await posting.getAuthorizeFormAsync(command.relay_state ?? '')
  const fields = Object.fromEntries([...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, unescape(value)]))
  return { id: idOf(Buffer.from(fields.SAMLRequest, 'base64').toString()), fields }
}

async function response(command) {
  try {
    const { profile } = await site.validatePostResponseAsync({ SAMLResponse: command.saml_response })
    last = profile
    return {
      ok: true,
      name: profile.nameID,
      format: profile.nameIDFormat,
      issuer: profile.issuer,
      in_response_to: profile.inResponseTo ?? '',
      session_index: profile.sessionIndex,
      attributes: Object.fromEntries(Object.entries(profile.attributes ?? {}).map(([name, value]) => [name, [value].flat()])),
    }
  } catch (refused) {
    return { ok: false, error: `${refused.message} ${refused.xmlStatus ?? ''}` }
  }
}

const logout = async () => ({ url: await site.getLogoutUrlAsync(last, '', {}) })

async function logoutResponse(command) {
  try {
    return { ok: (await site.validatePostResponseAsync({ SAMLResponse: command.message })).loggedOut }
  } catch (refused) {
    return { ok: false, error: refused.message }
  }
}

async function logoutRequest(command) {
  const { profile } = await site.validatePostRequestAsync({ SAMLRequest: command.message })
  return { url: await site.getLogoutResponseUrlAsync(profile, command.relay_state, {}, profile.nameID === last.nameID) }
}

const commands = { configure, request, response, logout, logout_response: logoutResponse, logout_request: logoutRequest }

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line)
  const answer = await commands[command.do](command)
  console.log(JSON.stringify(answer))
}
