// A child process of the wire bench. Serves the same body over HTTP/2 with and without TLS, and over HTTP/1.1 with TLS.
import { once } from 'node:events'
import { createSecureServer, createServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { selfSigned } from '../../../test/helpers/self-signed.ts'

const body = JSON.stringify({
  fact: 'A cat has more bones than a human: 230 against 206, most in its tail.'.padEnd(80, '.'),
  length: 80,
})
const head = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }
const answer = (_request: Http2ServerRequest, response: Http2ServerResponse) => {
  response.writeHead(200, head).end(body)
}

const plain = createServer(answer).listen(0, '127.0.0.1')
const secure = createSecureServer({ key: selfSigned.key, cert: selfSigned.cert, allowHTTP1: true }, answer).listen(
  0,
  '127.0.0.1',
)
await Promise.all([once(plain, 'listening'), once(secure, 'listening')])
process.on('disconnect', () => process.exit())
process.send?.({ port: (plain.address() as AddressInfo).port, tlsPort: (secure.address() as AddressInfo).port })
