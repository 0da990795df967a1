import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { StatusError } from '../../machinery/errors.js';
import type { ApiRequest } from '../api-request.js';
import type { Route } from '../request-path.js';
import { sendBytes } from '../respond/send.js';
import { INDEX, INITIALIZER } from './page.js';

const ROOT = '/swagger-ui/';
/** Nothing is loaded from, or sent to, any other host. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const PACKAGED: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui-standalone-preset.js': 'text/javascript; charset=utf-8',
  'favicon-16x16.png': 'image/png',
  'favicon-32x32.png': 'image/png',
};
const OWN: Readonly<Record<string, { readonly contentType: string; readonly text: string }>> = {
  '': { contentType: 'text/html; charset=utf-8', text: INDEX },
  'initializer.js': { contentType: 'text/javascript; charset=utf-8', text: INITIALIZER },
};

/** Swagger UI at `/swagger-ui/`, over the documents of `/openapi/v3`. Its files are read when somebody asks for them. */
export function swaggerRoute(): Route {
  let packageInfo: { folder: string; version: string } | undefined;
  return async (request) => {
    const { path } = request.info;
    if (path === '/swagger-ui') {
      request.response.head(301, request.answerHeaders({ Location: ROOT }));
      request.response.end();
      return true;
    }
    if (!path.startsWith(ROOT)) return false;
    const name = path.slice(ROOT.length);
    const own = Object.hasOwn(OWN, name) ? OWN[name] : undefined;
    const contentType = own?.contentType ?? (Object.hasOwn(PACKAGED, name) ? PACKAGED[name] : undefined);
    if (!contentType) return false;
    readOnly(request);
    Object.assign(request.headers, { 'Content-Security-Policy': POLICY, 'X-Content-Type-Options': 'nosniff' });
    if (own) {
      await sendBytes(request, 200, Buffer.from(own.text), { contentType });
      return true;
    }
    packageInfo ??= await locate();
    const etag = `"${packageInfo.version}"`;
    Object.assign(request.headers, { ETag: etag, 'Cache-Control': 'private, max-age=86400' });
    if (request.http.headers['if-none-match'] === etag) {
      request.response.head(304, request.answerHeaders({}));
      request.response.end();
      return true;
    }
    await sendBytes(request, 200, await readFile(join(packageInfo.folder, name)), { contentType });
    return true;
  };
}

function readOnly(request: ApiRequest): void {
  const { method } = request.http;
  if (method === 'GET' || method === 'HEAD') return;
  const message = 'the server does not allow this method on the requested resource';
  throw new StatusError(405, 'MethodNotAllowed', message, {});
}

async function locate(): Promise<{ folder: string; version: string }> {
  const manifest = createRequire(import.meta.url).resolve('swagger-ui-dist/package.json');
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  return { folder: dirname(manifest), version };
}
