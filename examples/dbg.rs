#![allow(missing_docs, reason = "temporary")]
use schedsim::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let sc = match scenario::Scenario::from_file(std::path::Path::new(&args[1]), &Default::default()) {
        Ok(s) => s,
        Err(e) => {
            eprintln!("{}", e.render(false));
            return;
        }
    };
    for v in &sc.variants {
        if args.len() > 2 && args[2] != v.name && args[2] != "all" {
            continue;
        }
        let out = sim::Simulation::new(&sc, v).run();
        eprintln!("events {} records {} ended {} {:?}", out.events, out.trace.records().len(), out.ended_at, out.stop);
        let m = report::figures(&sc, &out);
        let ck = report::check(&sc, v, &out, &m);
        if args.get(3).map(String::as_str) == Some("t") {
            println!("{}", trace::timeline::render(&out.trace, &report::timeline_options(&sc)));
        }
        println!("{}", report::golden(&sc, v, &out, &m, &ck));
    }
}
