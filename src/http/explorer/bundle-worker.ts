import { promisify } from 'node:util'
import { parentPort } from 'node:worker_threads'
import { constants, gzip } from 'node:zlib'
import scalar from '@scalar/fastify-api-reference'
import fastify from 'fastify'

// The package has no file with its bundle; its Fastify plugin serves it.
const app = fastify()
await app.register(scalar, { routePrefix: '/', configuration: { url: 'openapi.json' } })
const { statusCode, rawPayload } = await app.inject('/js/scalar.js')
if (statusCode !== 200)
  throw new Error(
    `@scalar/fastify-api-reference answered ${statusCode} in place of its browser ` +
      'bundle: install the version that package.json names',
  )
parentPort?.postMessage(await promisify(gzip)(rawPayload, { level: constants.Z_BEST_COMPRESSION }))
