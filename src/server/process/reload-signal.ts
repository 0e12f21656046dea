/** The signal that reloads the definitions. */
const signal = 'SIGHUP'

/** Calls of the operator for a reload. */
export interface ReloadSignal {
  /** Calls a function for each signal from now on, and once for those from before. */
  onSignal(call: () => void): void
}

/** Receives SIGHUP. Without a listener, it ends the process, also while the service starts. */
export function receiveReloadSignal(): ReloadSignal {
  let isReceived = false
  let call = () => {
    isReceived = true
  }
  process.on(signal, () => call())
  return {
    onSignal(next) {
      call = next
      if (isReceived) next()
    },
  }
}
