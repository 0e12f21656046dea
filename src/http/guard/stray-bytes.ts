import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { isLingering } from '../connection/linger.ts'
import { sendMalformedProblem } from '../problems/raw-problem.ts'
import type { ReportRefusal } from '../log/refusal-sampler.ts'
import { hasStrayBytes } from '../connection/received-bytes.ts'

/** Time between two checks of the connections, in ms. */
const sweepEvery = 100

/**
 * Closes connections that send bytes outside of requests: empty lines before a request line, white space before a
 * header's value, zeros before a chunk's size, extensions of many chunks. Node's parser skips these bytes and does not
 * limit their number.
 */
export function closeOnStrayBytes(
  app: FastifyInstance,
  connections: ReadonlySet<Socket>,
  headerBytes: number,
  reportRefusal: ReportRefusal,
): void {
  const sweep = () => {
    for (const socket of connections)
      if (hasStrayBytes(socket, headerBytes) && !isLingering(socket))
        sendMalformedProblem(strayError, socket, reportRefusal)
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
