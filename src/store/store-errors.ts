import { FaradayError } from "../core/errors.ts";

/** What was asked for by an id is not in the store. */
export class UnknownIdError extends FaradayError {}

/** A value that cannot be, such as `limit: 0`, an unknown `sort_by`, or null where something must be. */
export class BadValueError extends FaradayError {}
