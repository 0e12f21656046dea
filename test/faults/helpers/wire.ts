import type { Socket } from 'node:net'
import { secret } from '../../helpers/hostile-upstream.ts'

const start = `HTTP/1.1 200 ${secret}\r\nx-secret: ${secret}\r\ncontent-type: application/json\r\n`

/** An answer of 200 in JSON as it is on the wire: its head with more header lines, and whatever follows. */
export function answer(lines: readonly string[], body: string | Buffer = ''): Buffer {
  return Buffer.concat([
    Buffer.from(start + lines.map(line => `${line}\r\n`).join('') + '\r\n', 'latin1'),
    Buffer.from(body),
  ])
}

/** An answer with a body of its own type; whole and well framed. */
export function typed(
  type: string | undefined,
  body: string | Buffer,
  lines: readonly string[] = [],
  status = '200 OK',
): Buffer {
  const bytes = Buffer.from(body)
  const head = [
    `HTTP/1.1 ${status}`,
    `x-secret: ${secret}`,
    ...(type === undefined ? [] : [`content-type: ${type}`]),
    `content-length: ${bytes.length}`,
    ...lines,
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), bytes])
}

/** A whole answer with a status and a JSON body that must not be shown. */
export function status(code: number, lines: readonly string[] = []): Buffer {
  return typed('application/json', JSON.stringify({ word: secret, error: secret }), lines, `${code} ${secret}`)
}

/** The word that a request asks for, as a body. */
export function wordOf({ path }: { readonly path: string }): string {
  return JSON.stringify({ word: path.split('/').at(-1) })
}

/** The good answer to a request. */
export function good(request: { readonly path: string }, lines: readonly string[] = []): Buffer {
  return typed('application/json', wordOf(request), lines)
}

/** Writes the bytes one by one, and after them the last for ever. */
export function drip(socket: Socket, bytes: string, everyMs: number): void {
  let at = 0
  const timer = setInterval(() => {
    socket.write(bytes[Math.min(at++, bytes.length - 1)] as string, 'latin1')
  }, everyMs)
  socket.once('close', () => clearInterval(timer))
}

/** Writes a part as fast as somebody reads it, again and again. */
export function pour(socket: Socket, head: string | Buffer, part: string | Buffer): void {
  socket.write(head)
  const more = () => {
    while (!socket.destroyed) if (!socket.write(part)) return void socket.once('drain', more)
  }
  more()
}
