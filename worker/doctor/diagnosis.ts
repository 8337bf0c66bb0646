/** What `tresline-worker doctor` found, as `--json` prints it. Sizes are in bytes, times in milliseconds. */
export interface Diagnosis {
  /** Whether a worker with this environment would classify images. */
  ready: boolean;
  /** One sentence, and when it is not ready what to do. */
  verdict: string;
  device: string;
  node: string;
  /** Null when ONNX Runtime itself could not be loaded; `probe` then says why. */
  onnxruntime: Runtime | null;
  sharp: ImageDecoder;
  machine: Machine;
  nvidia: Nvidia | Failure;
  cuda: CudaLibraries;
  model: Model | Failure;
  probe: Probe;
}

/** Why something could not be found out: a sentence without its full stop. */
export interface Failure {
  error: string;
}

/** ONNX Runtime and the providers compiled into it; one that is not bundled needs a library beside the binary. */
export interface Runtime {
  version: string;
  providers: { name: string; bundled: boolean }[];
}

/** The image decoder. `error` is null when it decoded a picture. */
export interface ImageDecoder {
  version: string;
  libvips: string | null;
  error: string | null;
}

/** What this process may use of the machine. `thread_pool_size` threads decode images (UV_THREADPOOL_SIZE). */
export interface Machine {
  cores: number;
  thread_pool_size: number;
  memory: number;
  available_memory: number;
}

/** What nvidia-smi says. */
export interface Nvidia {
  driver: string;
  gpus: { name: string; memory: number; free_memory: number }[];
}

/** The CUDA provider's library and the CUDA it is built for (`13`), or null; and the libraries it needs that the loader does not find. */
export interface CudaLibraries {
  provider: string | null;
  version: string | null;
  missing: string[];
}

/** The model that is served. `size` is height and width. */
export interface Model {
  name: string;
  digest: string;
  precision: string;
  size: [number, number];
}

/** What the session did: how long it took to open, and the median time of a micro-batch of each size. `error` is null when all ran. */
export interface Probe {
  open_ms: number | null;
  rungs: { images: number; median_ms: number; images_per_second: number }[];
  error: string | null;
}
