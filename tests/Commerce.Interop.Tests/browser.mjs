// What the relying parties of this folder share: the way through the hub's own pages.
export const must = (condition, words) => { if (!condition) throw new Error(words); };

/** A browser of a few lines: cookies of one host, redirects one by one, the sign-in form. */
export class Browser {
  cookies = new Map();

  /** @param config with `email` and `password` of the customer */
  constructor(config) {
    this.config = config;
  }

  async send(url, init = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', ...init, headers: { accept: 'text/html', ...(cookie && { cookie }), ...init.headers } });
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(';');
      const at = pair.indexOf('=');
      if (/expires=Thu, 01 Jan 1970/i.test(line)) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }

  /** Goes on until the hub sends the browser to the partner; signs in where the hub asks. Returns that address. */
  async goTo(url, until) {
    let response = await this.send(url);
    for (let i = 0; i < 15; i++) {
      const location = response.headers.get('location');
      if (location) {
        url = new URL(location, url);
        if (url.href.startsWith(until)) return url;
        response = await this.send(url);
        continue;
      }
      const page = await response.text();
      must(page.includes('name="password"'), `The hub answered ${response.status} at ${url}: ${page.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ').slice(0, 300)}`);
      const form = page.match(/<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?name="password"[\s\S]*?)<\/form>/);
      const fields = new URLSearchParams();
      for (const [input] of form[2].matchAll(/<input[^>]*type="hidden"[^>]*>/g)) fields.set(unescape(input.match(/name="([^"]*)"/)[1]), unescape(input.match(/value="([^"]*)"/)[1]));
      fields.set('email', this.config.email);
      fields.set('password', this.config.password);
      url = new URL(unescape(form[1]), url);
      response = await this.send(url, { method: 'POST', body: fields });
    }
    throw new Error('The hub did not come to an end.');
  }
}
const unescape = (text) => text.replaceAll('&quot;', '"').replaceAll('&#x2B;', '+').replaceAll('&#x27;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
