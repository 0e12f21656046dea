import type { FastifyInstance } from 'fastify'

/** The work of an app on bulk runs. */
export interface BulkWork {
  /** Starts the work, if it has not started. */
  start(): void
  /** Stops the work. A chunk in progress is left undone. */
  stop(): Promise<void>
}

const works = new WeakMap<FastifyInstance, BulkWork>()

/** Stores the work of an app on bulk runs. */
export function setBulkWork(app: FastifyInstance, work: BulkWork): void {
  works.set(app, work)
}

/** Returns the work on bulk runs of an app whose own server does not listen. An app that listens starts it itself. */
export function bulkWorkOf(app: FastifyInstance): BulkWork | undefined {
  return works.get(app)
}
