import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { createServer } from '../../core/node-http.ts'
import { ignoreRejection } from '../../core/promises.ts'
import { bulkWorkOf } from '../../http/bulk/app-bulk.ts'
import { serverGuardOf, type ServerGuard } from '../../http/guard/server-guard.ts'
import { serverOptions } from '../../http/guard/server-limits.ts'
import { AppListener, type AppListenerOptions } from '../../http/lifecycle/app-listener.ts'
import { logOmittedRefusals, RefusalSampler } from '../../http/log/refusal-sampler.ts'
import type { ListenOptions } from './listen.ts'

export interface ServiceListenerOptions extends Omit<AppListenerOptions, 'refusals'> {
  /** The options of the log, as an app has them. */
  readonly logger: NonNullable<FastifyServerOptions['logger']>
}

/** An app with the guard of its requests. */
interface Generation {
  readonly app: FastifyInstance
  readonly guard: ServerGuard
}

/**
 * The socket of a service. It passes each request to the current app. A reload replaces the app. The socket and its
 * connections stay open.
 */
export class ServiceListener {
  /** The connections, with their limits. */
  readonly connections: AppListener
  readonly #app: FastifyInstance
  /** The servers: one, or one for each address of the host `localhost`. */
  readonly servers: Server[] = []
  /** The apps that have not closed. */
  readonly #open = new Set<Generation>()
  #current: Generation | undefined

  constructor({ logger, ...options }: ServiceListenerOptions) {
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      const { app, guard } = this.#current as Generation
      if (!guard.refuses(request, response)) app.routing(request, response)
    }
    this.#app = fastify({
      // For the host `localhost`, Fastify opens a server for each address.
      serverFactory: () => {
        const server = createServer(serverOptions(options.limits), handle)
        this.servers.push(server)
        return server
      },
      return503OnClosing: false,
      // `handleServerEvents` replies to these.
      clientErrorHandler: () => {},
      logger,
    })
    const refusals = new RefusalSampler()
    this.connections = new AppListener(this.#app, { ...options, refusals })
    logOmittedRefusals(this.#app, refusals)
    this.#app.addHook('onClose', async () => {
      await Promise.all(Array.from(this.#open, ({ app }) => app.close()))
    })
  }

  get server(): Server {
    return this.#app.server
  }

  /** The app that answers the next request. */
  get app(): FastifyInstance {
    return (this.#current as Generation).app
  }

  /** Makes `app` the current app. The previous one closes after its last request. */
  swap(app: FastifyInstance): void {
    const previous = this.#current
    this.#current = { app, guard: serverGuardOf(app) }
    this.#open.add(this.#current)
    if (previous === undefined) return
    if (this.#app.server.listening) bulkWorkOf(app)?.start()
    // A request in flight can keep the previous app for long. Bulk runs go on with the new definitions.
    ignoreRejection(bulkWorkOf(previous.app)?.stop())
    previous.guard.onIdle(() => {
      if (this.#open.delete(previous)) void previous.app.close()
    })
  }

  /** Listens, and logs each URL. Rejects if it cannot listen. */
  async listen(options: ListenOptions): Promise<void> {
    await this.#app.listen(options)
    bulkWorkOf(this.app)?.start()
  }

  /** Closes the socket after the requests in flight, and then all apps. */
  async close(): Promise<void> {
    await this.#app.close()
  }
}

const listeners = new WeakMap<FastifyInstance, ServiceListener>()

/** Stores the listener of a service's app. */
export function setServiceListener(app: FastifyInstance, listener: ServiceListener): void {
  listeners.set(app, listener)
}

/** Returns the listener of an app that `createServiceApp` has built. */
export function serviceListenerOf(app: FastifyInstance): ServiceListener {
  return listeners.get(app) as ServiceListener
}
