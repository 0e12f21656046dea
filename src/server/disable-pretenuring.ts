import { setFlagsFromString } from 'node:v8'

/**
 * Stops V8 from allocating new objects directly in the old generation. V8 does so for an allocation site whose objects
 * mostly survive, as objects of waiting requests do. Each such object, also a dead one, then retains what it refers to
 * until the next full collection: several KB per request, and a tenth to a fifth of a call's cost
 * (docs/performance.md). The setting applies to the whole process, so the program that starts the process calls this
 * first. It is the same as `node --no-allocation-site-pretenuring`.
 */
export function disablePretenuring(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
