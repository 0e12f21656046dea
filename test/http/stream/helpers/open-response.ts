import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

/** A response that is not written, and the connection of its caller, which is not read. */
export interface OpenResponse {
  readonly response: ServerResponse
  readonly caller: Socket
}

/** Sends a request to a server of its own, and returns its response. */
export async function openResponse(t: Test, version = '1.1'): Promise<OpenResponse> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const caller = connect((server.address() as AddressInfo).port, '127.0.0.1')
  caller.on('error', () => {})
  t.teardown(() => {
    caller.destroy()
    server.close()
    server.closeAllConnections()
  })
  const request = once(server, 'request')
  caller.write(`GET / HTTP/${version}\r\nhost: a\r\n\r\n`)
  const [, response] = (await request) as [unknown, ServerResponse]
  return { response, caller }
}

/** Reads a response to its end and returns the chunks of its body. */
export async function chunksOf(caller: Socket): Promise<string[]> {
  let text = ''
  for await (const bytes of caller.setEncoding('utf8')) {
    text += String(bytes)
    if (text.endsWith('\r\n0\r\n\r\n')) break
  }
  let rest = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4))
  const chunks: string[] = []
  for (;;) {
    const line = rest.indexOf('\r\n')
    const length = Number.parseInt(rest.subarray(0, line).toString(), 16)
    if (length === 0) return chunks
    chunks.push(rest.subarray(line + 2, line + 2 + length).toString())
    rest = rest.subarray(line + 2 + length + 2)
  }
}
