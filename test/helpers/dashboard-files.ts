import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

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
    const { page } = (await import(join(root, 'src/dashboard/page.ts'))) as { page: string }
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
    response.end(page)
    return true
  }
  const [, name] =
    /^\/dashboard\/assets\/((?:dashboard|waterfall)\/[\w/-]+\.(?:js|ts|css)|uplot\.(?:js|css))$/.exec(path) ?? []
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
    'content-type': name.endsWith('.css') ? 'text/css' : 'text/javascript',
    'cache-control': 'no-cache',
  })
  response.end(file.endsWith('.ts') ? stripTypeScriptTypes(text) : text)
  return true
}
