import type { DiagLogger } from '@opentelemetry/api'

/** The time in which at most one error is passed on, in ms. A collector that is down fails with each batch. */
const errorEveryMs = 60_000

/** The longest message, in characters. */
const longest = 300

/** Returns a logger of the SDK that passes on warnings, and errors at most once per minute. */
export function diagnosticLogger(warn: (message: string) => void, now = () => performance.now()): DiagLogger {
  let nextErrorAt = -Infinity
  return {
    error(message) {
      if (now() < nextErrorAt) return
      nextErrorAt = now() + errorEveryMs
      warn(shortened(message))
    },
    warn: message => warn(shortened(message)),
    info: () => {},
    debug: () => {},
    verbose: () => {},
  }
}

/** Returns the message and the code of an error. The SDK writes an error as JSON, with its stack. */
function shortened(text: string): string {
  const said = saidOf(text)
  return `OpenTelemetry: ${said.length > longest ? `${said.slice(0, longest)}…` : said}`
}

function saidOf(text: string): string {
  try {
    const { message, code } = JSON.parse(text) as { readonly message?: unknown; readonly code?: unknown }
    if (typeof message === 'string') return typeof code === 'string' ? `${message} (${code})` : message
  } catch {
    // It is a plain text.
  }
  return text
}
