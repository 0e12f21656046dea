import type { FastifyInstance } from 'fastify'
import type { Runtime } from '../../upstream/runtime.ts'

const runtimes = new WeakMap<FastifyInstance, Runtime>()

/** Stores the runtime of an app. */
export function setRuntimeOf(app: FastifyInstance, runtime: Runtime): void {
  runtimes.set(app, runtime)
}

/** Returns the runtime of an app that `buildApp` has built. */
export function runtimeOf(app: FastifyInstance): Runtime {
  return runtimes.get(app) as Runtime
}
