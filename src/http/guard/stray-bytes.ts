import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { isLingering } from '../connection/linger.ts'
import { sendMalformedProblem } from '../problems/problem-handler.ts'
import type { ReportRefusal } from '../log/refusal-sampler.ts'
import { hasStrayBytes } from '../connection/received-bytes.ts'

/** Time between two looks at the connections, in ms. */
const sweepEvery = 100

/**
 * Closes connections on which bytes come that are not part of a request: empty lines before a request line, white space
 * before a header's value, zeros before a chunk's size, extensions of many chunks. Node's parser skips these and has no
 * limit on them.
 */
export function closeOnStrayBytes(
  app: FastifyInstance,
  connections: ReadonlySet<Socket>,
  headerBytes: number,
  tell: ReportRefusal,
): void {
  const sweep = () => {
    for (const socket of connections)
      if (hasStrayBytes(socket, headerBytes) && !isLingering(socket)) sendMalformedProblem(strayError, socket, tell)
  }
  const timer = setInterval(sweep, sweepEvery).unref()
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer)
    done()
  })
}

const strayError = Object.assign(new Error('the connection sent bytes that are not part of a request'), {
  code: 'STRAY_BYTES',
})
