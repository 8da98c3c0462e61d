//! The mended twin of `record/request_path_as_route.rs`: a route's template is a word.

use automagik_telemetry::{ApiRequest, HttpStatus, Label, Milliseconds, Schema, Telemetry};

#[derive(Label, Clone, Copy)]
enum Route {
    #[label("GET /traces/phone/{phone_number}")]
    TracesOfPhone,
    #[label("GET /users/:id/messages")]
    MessagesOfUser,
    #[label("GET /home/<tenant>")]
    HomeOfTenant,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "app")]
enum App {
    Api(ApiRequest<Route>),
}

fn main() {
    let telemetry = Telemetry::<App>::builder().opt_out(true).start();
    for route in [Route::TracesOfPhone, Route::MessagesOfUser, Route::HomeOfTenant] {
        telemetry.record(ApiRequest { route, status: HttpStatus::new(404), duration: Milliseconds::new(7) });
    }
}
