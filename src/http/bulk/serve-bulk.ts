import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { Problem } from '../../errors.ts'
import { BulkStoreError } from '../../bulk/given-store.ts'
import { closeOnUnreadBody } from '../connection/close-on-unread-body.ts'
import { transferEncodingProblem } from '../request/transfer-encoding.ts'
import { allowMethods } from '../routing/allowed-methods.ts'
import { fastifyPath } from '../routing/path-template.ts'
import { setBulkWork } from './app-bulk.ts'
import { bulkUrls, lines } from './bulk-route.ts'
import type { BulkService } from './bulk-service.ts'
import { cancel, remove, setPaused } from './change-run.ts'
import { createRun } from './create-run.ts'
import { openBulk, type OpenBulkOptions } from './open-bulk.ts'
import { runJson, summaryJson } from './run-json.ts'
import { sendResults } from './send-results.ts'

/** The time between two removals of runs whose retention has passed, in ms. */
const sweepEvery = 60_000

/**
 * Adds the routes of bulk runs, and works on the runs from the time at which the app listens until it closes.
 *
 * @param app The app whose hooks refuse requests.
 * @param root The app that listens.
 */
export async function serveBulk(app: FastifyInstance, root: FastifyInstance, options: OpenBulkOptions): Promise<void> {
  const service = await openBulk(options)
  workWhileOpen(root, service)
  await app.register(async scope => {
    closeOnUnreadBody(scope)
    acceptLines(scope)
    addRoutes(scope, service)
  })
}

function workWhileOpen(root: FastifyInstance, { executor, journal }: BulkService): void {
  let timer: NodeJS.Timeout | undefined
  const sweep = () => {
    journal.sweep().then(
      removed => {
        for (const id of removed) root.log.info({ bulk: id }, 'bulk run removed after its retention')
      },
      (err: unknown) => root.log.error({ err }, 'bulk runs could not be swept'),
    )
  }
  const work = {
    start() {
      executor.start()
      sweep()
      timer ??= setInterval(sweep, sweepEvery).unref()
    },
    async stop() {
      clearInterval(timer)
      await executor.stop()
    },
  }
  setBulkWork(root, work)
  root.addHook('onListen', done => {
    work.start()
    done()
  })
  root.addHook('preClose', () => work.stop())
}

/** Leaves the body of a request to its handler. Other bodies than lines are refused. */
function acceptLines(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser(lines, (request, _payload, done) => {
    done(transferEncodingProblem(request.raw) ?? null)
  })
  scope.addContentTypeParser('*', (_request, _payload, done) => {
    done(new Problem('UNSUPPORTED_MEDIA_TYPE', { detail: `The service accepts the inputs as ${lines} only.` }))
  })
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

function addRoutes(scope: FastifyInstance, service: BulkService): void {
  const { journal } = service
  const ofRun = async (request: FastifyRequest) => {
    const run = await service.runOf(request)
    return runJson(run, (await service.resultsOf(run)).counts)
  }
  const runs = async (request: FastifyRequest) => ({
    runs: (await journal.runsOf(service.ownerOf(request))).map(summaryJson),
  })
  const paths: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
    [bulkUrls.create]: { POST: (request, reply) => createFromLines(service, request, reply) },
    [bulkUrls.runs]: { GET: runs },
    [bulkUrls.run]: { GET: ofRun, DELETE: (request, reply) => remove(service, request, reply) },
    [bulkUrls.results]: { GET: (request, reply) => sendResults(service, request, reply) },
    [bulkUrls.pause]: { POST: request => setPaused(service, request, true) },
    [bulkUrls.resume]: { POST: request => setPaused(service, request, false) },
    [bulkUrls.cancel]: { POST: request => cancel(service, request) },
  }
  for (const [template, handlers] of Object.entries(paths)) {
    const url = fastifyPath(template)
    for (const [method, handle] of Object.entries(handlers))
      scope.route({
        method,
        url,
        schema: hidden,
        bodyLimit: service.settings.maxBytes,
        exposeHeadRoute: method === 'GET',
        handler: (request, reply) => handled(handle, request, reply),
      })
    allowMethods(scope, url, Object.keys(handlers))
  }
}

/** Hides a route from collectors such as `@fastify/swagger`: the API document describes bulk runs. */
const hidden = { hide: true } as NonNullable<RouteOptions['schema']>

async function createFromLines(service: BulkService, request: FastifyRequest, reply: FastifyReply): Promise<object> {
  if (request.headers['content-type'] === undefined)
    throw new Problem('UNSUPPORTED_MEDIA_TYPE', { detail: `Send the inputs with content-type: ${lines}.` })
  return createRun(service, request, reply)
}

/** Replies with the result of a handler. A failure of the store is one of the service, and is logged. */
async function handled(handle: Handler, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  reply.header('cache-control', 'no-store')
  try {
    return await handle(request, reply)
  } catch (error) {
    if (error instanceof Problem || !isOfStore(error)) throw error
    request.log.error({ err: error }, 'bulk store failed')
    throw new Problem('STORE_UNAVAILABLE', { cause: error })
  }
}

/** Returns true for an error of a given store or of the file system, such as ENOSPC. */
function isOfStore(error: unknown): boolean {
  return error instanceof BulkStoreError || typeof (error as NodeJS.ErrnoException | undefined)?.syscall === 'string'
}
