import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rewriteUrl } from './rewrite.js';
import { LinkRewriter } from './rewrite-html.js';

const RULES = { prefix: '/api/proxy', backendHost: '10.0.0.1:80', requestHost: 'api:6443' };

describe('rewriteUrl', () => {
  it.each([
    ['/x', '/api/proxy/x'],
    ['/x/?a=b#c', '/api/proxy/x/?a=b#c'],
    ['/', '/api/proxy/'],
    ['x/y', 'x/y'],
    ['../y', '../y'],
    ['#frag', '#frag'],
    ['?q', '?q'],
    ['', ''],
    ['http://10.0.0.1:80/x', '/api/proxy/x'],
    ['https://api:6443/x', 'https://api:6443/api/proxy/x'],
    ['//api:6443/x', '//api:6443/api/proxy/x'],
    ['http://elsewhere/x', 'http://elsewhere/x'],
    ['/api/proxy/x', '/api/proxy/x'],
    ['mailto:a@b', 'mailto:a@b'],
    ['javascript:void(0)', 'javascript:void(0)'],
  ])('%s → %s', (from, to) => {
    expect(rewriteUrl(from, RULES)).toBe(to);
  });
});

async function rewritten(pieces: readonly string[]): Promise<string> {
  const links = new LinkRewriter((url) => rewriteUrl(url, RULES));
  for (const piece of pieces) links.write(Buffer.from(piece));
  links.end();
  const chunks: Buffer[] = [];
  for await (const chunk of links) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('LinkRewriter', () => {
  it.each([
    ['<a href=/x>', '<a href=/api/proxy/x>'],
    ["<A class=b HREF = '/x' id='/y'>", "<A class=b HREF = '/api/proxy/x' id='/y'>"],
    ['<img src="/a>b">/c', '<img src="/api/proxy/a>b">/c'],
    ['<form action="/f?a=1&amp;b=2">', '<form action="/api/proxy/f?a=1&amp;b=2">'],
    ['<p href="/x">', '<p href="/x">'],
    ['1 < 2 <a href="/x">', '1 < 2 <a href="/api/proxy/x">'],
    ['<!-- <a href="/x"> --><a href="/x">', '<!-- <a href="/x"> --><a href="/api/proxy/x">'],
    ['<script>"<a href=/x>"</script><a href=/x>', '<script>"<a href=/x>"</script><a href=/api/proxy/x>'],
    ['<a href="/ümläut">', '<a href="/api/proxy/ümläut">'],
    ['<a href="/x', '<a href="/x'],
    ['<', '<'],
    ['<!-', '<!-'],
  ])('%s', async (html, wanted) => {
    expect(await rewritten([html])).toBe(wanted);
  });

  it('does not care how the bytes come', async () => {
    const part = fc.constantFrom(
      '<a href="/x">',
      '<',
      '>',
      '"',
      "'",
      '<!--',
      '-->',
      '<script>',
      '</script>',
      ' ',
      'src=/y',
      '=',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 20 }),
        fc.array(fc.nat(60), { maxLength: 5 }),
        async (parts, cuts) => {
          const html = parts.join('');
          const at = [0, ...cuts.map((c) => Math.min(c, html.length)).sort((a, b) => a - b), html.length];
          const pieces = at.slice(1).map((end, i) => html.slice(at[i], end));
          expect(await rewritten(pieces)).toBe(await rewritten([html]));
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each(['<a', '<a x="', '<!--', '<a b ', '<a x=\'<b y="', '<a href=/x '])(
    'passes on megabytes of %j without ado',
    async (unit) => {
      const html = unit.repeat(Math.ceil(2_000_000 / unit.length));
      expect((await rewritten([html.slice(0, 1_000_000), html.slice(1_000_000)])).length).toBeGreaterThan(1_900_000);
    },
    10_000,
  );
});
