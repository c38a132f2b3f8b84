// npm samlp as an identity provider: a cookie names the user, the assertion is signed with RSA-2048 and SHA-256.
// node samlp.js PORT ACS CERTIFICATE.pem KEY.pem
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import samlp from 'samlp';

const [port, acs, certificateFile, keyFile] = process.argv.slice(2);
const cert = readFileSync(certificateFile, 'utf8');

const answer = samlp.auth({
  issuer: `http://127.0.0.1:${port}/metadata`, cert, key: readFileSync(keyFile, 'utf8'), recipient: acs, destination: acs, lifetimeInSeconds: 300,
  getPostURL: (_audience, _request, _http, done) => done(null, acs),
  getUserFromRequest: (req) => req.user,
});

createServer((req, res) => {
  const url = new URL(req.url, `http://127.0.0.1:${port}`);
  req.query = Object.fromEntries(url.searchParams);
  // What samlp wants of express, and no more.
  res.set = (name, value) => res.setHeader(name, value);
  res.send = (body) => res.end(typeof body === 'number' ? String(res.statusCode = body) : body);
  if (url.pathname === '/certificate') return res.end(cert);
  if (url.pathname !== '/sso') return res.send(404);
  const user = /(?:^|; )user=(\w+)/.exec(req.headers.cookie ?? '')?.[1];
  if (user) {
    req.user = {
      id: user, displayName: `Bench ${user}`, name: { givenName: 'Bench', familyName: user }, emails: [{ value: `${user}@bench.example` }],
    };
  }
  return answer(req, res, (error) => { res.statusCode = 500; res.end(String(error?.message)); });
}).listen(Number(port), '127.0.0.1');
