import { registerHooks } from 'node:module'
import { ownModule } from '../../src/definitions/own-modules.ts'

// A module for `--import`: in that process, `headwaters` and `headwaters/testing` are the sources of this checkout.
registerHooks({
  resolve(specifier, context, next) {
    const url = ownModule(specifier)
    return url === undefined ? next(specifier, context) : { url, shortCircuit: true }
  },
})
