import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../../errors.ts'
import { isClosing, lingerAfterAnswer } from '../connection/linger.ts'
import { transferEncodingProblem } from '../request/transfer-encoding.ts'

/**
 * Refuses requests without exactly one `Host` header (RFC 9112, section 3.2), and requests with a transfer coding other
 * than `chunked`.
 */
export function checkHostHeader(app: FastifyInstance): void {
  app.addHook('onRequest', ({ raw }, reply, done) => {
    // The connection closes after an earlier request, so this reply is never sent.
    if (isClosing(raw.socket)) return done(new Problem('BAD_REQUEST'))
    if (raw.headers['transfer-encoding'] !== undefined) {
      // With this header the framing of an HTTP/1.0 request is faulty, so the connection closes after the reply (RFC
      // 9112, section 6.1).
      if (raw.httpVersion === '1.0') {
        reply.header('connection', 'close')
        lingerAfterAnswer(raw.socket)
      }
      const problem = transferEncodingProblem(raw)
      if (problem !== undefined) return done(problem)
    }
    const hosts = countHosts(raw)
    if (hosts === 1 || (hosts === 0 && raw.httpVersion === '1.0')) return done()
    reply.header('connection', 'close')
    done(
      new Problem('BAD_REQUEST', {
        detail: `The request has ${hosts === 0 ? 'no Host header' : 'several Host headers'}: send exactly one.`,
      }),
    )
  })
}

/** Returns the number of `Host` headers. Node's `headers` has only the first one. */
export function countHosts({ rawHeaders }: IncomingMessage): number {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts
}
