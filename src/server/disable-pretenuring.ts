import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8 from putting new objects into the old generation at once. It does so where it has seen most objects of one
 * place in the code survive, as they do while requests wait; from then on every such object, dead too, keeps what it
 * refers to until the next full collection: several KB a request, and a tenth to a fifth of a call's cost
 * (docs/performance.md). It is for the whole process, so it is for whoever starts it, before it does anything else: the
 * same as `node --no-allocation-site-pretenuring`.
 */
export function disablePretenuring(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
}
