/** One armoured block (RFC 7468). */
export interface PemBlock {
  readonly label: string;
  readonly bytes: Buffer;
  /** True when it carries RFC 1421 headers, as encrypted legacy keys do. */
  readonly headers: boolean;
}

const BEGIN = '-----BEGIN ';

/**
 * All blocks of a text, in order. What is between blocks and what does not decode is skipped, as Go does. One pass,
 * since the text may come from a client.
 */
export function decodePem(text: string | Buffer): PemBlock[] {
  const source = typeof text === 'string' ? text : text.toString('latin1');
  const blocks: PemBlock[] = [];
  let at = source.indexOf(BEGIN);
  while (at >= 0) {
    const lineEnd = source.indexOf('\n', at);
    if (lineEnd < 0) break;
    const label = /^-----BEGIN ([^\r\n]*?)-----[ \t]*\r?$/.exec(source.slice(at, Math.min(lineEnd, at + 200)))?.[1];
    const end = source.indexOf('-----', lineEnd);
    if (end < 0) break;
    const block =
      label !== undefined && source.startsWith(`-----END ${label}-----`, end) && armoured(source, lineEnd, end);
    if (block) blocks.push({ label: label!, ...block });
    at = source.indexOf(BEGIN, end);
  }
  return blocks;
}

function armoured(source: string, from: number, to: number): { bytes: Buffer; headers: boolean } | undefined {
  const body = source.slice(from + 1, to);
  const colon = body.lastIndexOf(':');
  const base64 = body.slice(colon < 0 ? 0 : body.indexOf('\n', colon) + 1).replace(/\s/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0) return undefined;
  return { bytes: Buffer.from(base64, 'base64'), headers: colon >= 0 };
}

/** Lines of 64 characters, one newline at the end. */
export function encodePem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.map((line) => `${line}\n`).join('')}-----END ${label}-----\n`;
}
