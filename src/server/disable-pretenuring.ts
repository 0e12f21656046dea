import { setFlagsFromString } from 'node:v8'

/**
 * Stops V8 from allocating new objects directly in the old generation. V8 does so for an allocation site whose objects
 * mostly survive, as objects of waiting requests do. Such an object stays in memory until the next full collection,
 * also when it is dead, and retains the objects to which it refers. This costs several KB per request, and a tenth to a
 * fifth of the cost of a call (docs/performance.md). The setting applies to the whole process, so the program that
 * starts the process calls this first. It is the same as `node --no-allocation-site-pretenuring`.
 */
export function disablePretenuring(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
