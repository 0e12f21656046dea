import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { Test } from 'tap'
import { serveHttp } from '../../../../helpers/serve-http.ts'

/** Headers of an answer; a list is one line per value. */
export type Head = Readonly<Record<string, string | readonly string[]>>

/** What a server answers. */
export interface Reply {
  readonly status?: number
  readonly head?: Head
  readonly body?: unknown
}

export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

/** Starts a server of HTTP whose answers have the headers that `reply` gives them, and a length; nothing else. */
export async function serverOf(t: Test, reply: (asked: Asked) => Reply) {
  const asked: Asked[] = []
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers }
    asked.push(one)
    request.resume()
    const { status = 200, head = {}, body = asked.length } = reply(one)
    const hasBody = status !== 204 && status !== 304
    const text = hasBody ? JSON.stringify(body) : ''
    response.sendDate = false
    const lines = Object.entries(head).flatMap(([name, value]) => [value].flat().flatMap(line => [name, line]))
    if (hasBody) lines.push('content-type', 'application/json', 'content-length', String(text.length))
    response.writeHead(status, lines)
    response.end(one.method === 'HEAD' ? '' : text)
  })
  return { origin: await serveHttp(t, server), asked }
}

/** A date of HTTP in this many seconds. */
export function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toUTCString()
}

/** The same date in the form of RFC 850. */
export function rfc850(seconds: number): string {
  const [name = '', day, month, year = '', time] = inSeconds(seconds).split(' ')
  const long = { Sun: 'Sun', Mon: 'Mon', Tue: 'Tues', Wed: 'Wednes', Thu: 'Thurs', Fri: 'Fri', Sat: 'Satur' }
  return `${long[name.slice(0, 3) as keyof typeof long]}day, ${day}-${month}-${year.slice(2)} ${time} GMT`
}

/** The same date in the form of asctime. */
export function asctime(seconds: number): string {
  const [name = '', day = '', month, year, time] = inSeconds(seconds).split(' ')
  return `${name.slice(0, 3)} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`
}
