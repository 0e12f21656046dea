import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import { extname, join } from 'node:path'
import { page } from '../../src/dashboard/page.ts'

const root = join(import.meta.dirname, '../..')

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript',
  '.ts': 'text/javascript',
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

/** Answers a request for the page of the dashboard or one of its files. Resolves with whether it was one. */
export async function servePage(path: string, response: ServerResponse): Promise<boolean> {
  if (path === '/dashboard') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
    response.end(page('ts'))
    return true
  }
  const [, name] =
    /^\/dashboard\/assets\/((?:dashboard|waterfall)\/[\w/-]+\.(?:js|ts|css|svg)|uplot\.(?:js|css))$/.exec(path) ?? []
  if (name === undefined) return false
  const file =
    name === 'uplot.js'
      ? join(root, 'node_modules/uplot/dist/uPlot.iife.min.js')
      : name === 'uplot.css'
        ? join(root, 'node_modules/uplot/dist/uPlot.min.css')
        : join(root, 'src', name.replace(/\.js$/, '.ts'))
  if (!existsSync(file)) return false
  const text = await readFile(file, 'utf8')
  response.writeHead(200, {
    'content-type': types[extname(name)],
    'cache-control': 'no-cache',
  })
  response.end(file.endsWith('.ts') ? stripTypeScriptTypes(text) : text)
  return true
}
