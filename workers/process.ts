import { hostWorker } from "../src/pool/process-host.ts";

hostWorker();
