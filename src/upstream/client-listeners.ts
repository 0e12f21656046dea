import { ignoreRejection } from '../core/promises.ts'
import type { ClientListeners } from './client-events.ts'
import type { RuntimeOptions } from './runtime-options.ts'

type Callbacks = Pick<RuntimeOptions, 'onBreakerChange' | 'onOriginChange' | 'onCacheStoreFault' | 'onToken'>

/** Returns the callbacks of a runtime. A promise that one of them returns may reject. */
export function listenersOf({
  onBreakerChange,
  onOriginChange,
  onCacheStoreFault,
  onToken,
}: Callbacks): ClientListeners {
  return {
    onBreakerChange: change => ignoreRejection(onBreakerChange?.(change)),
    // It is called while an attempt starts or ends, which must not fail.
    onOriginChange: change => callSafely(onOriginChange, change),
    // A fault of the store, or of the callback that reports it, does not fail the call.
    onCacheStoreFault: fault => callSafely(onCacheStoreFault, fault),
    // The calls that wait for the token need it even if the callback throws.
    onToken: token => callSafely(onToken, token),
  }
}

function callSafely<Value>(callback: ((value: Value) => void) | undefined, value: Value): void {
  try {
    ignoreRejection(callback?.(value))
  } catch {
    // The documentation of the option says that an error is ignored.
  }
}
